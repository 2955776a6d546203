internal import CRabbitMQ
internal import Glibc

/// A connection after its handshakes: TCP, TLS where wanted, AMQP login and virtual host.
struct OpenedConnection: ~Copyable {
    let handle: ConnectionHandle

    /// librabbitmq's own limit.
    private static let largestFrame: Int32 = 131_072

    /// Connects and logs in, in about three connect time-outs at most; looking the host up may take longer.
    /// - Parameter name: shown by `rabbitmqctl list_connections`.
    /// - Throws: `connectFailed`.
    init(_ configuration: AMQPConfiguration, name: String) throws(AMQPError) {
        guard let handle = ConnectionHandle() else { throw AMQPError(.connectFailed, "no memory for a connection") }
        try Self.openSocket(handle.pointer, configuration)
        try Self.logIn(handle.pointer, configuration, name: name)
        self.handle = handle
    }

    private static func openSocket(_ connection: OpaquePointer, _ configuration: AMQPConfiguration) throws(AMQPError) {
        let socket: OpaquePointer?
        if let encryption = configuration.encryption {
            socket = try makeEncryptedSocket(connection, encryption)
        } else {
            socket = amqp_tcp_socket_new(connection)
        }
        guard let socket else { throw AMQPError(.connectFailed, "no memory for a socket") }
        var limit = timeval(configuration.connectTimeout)
        let status = amqp_socket_open_noblock(socket, configuration.host, Int32(configuration.port), &limit)
        guard status == AMQP_STATUS_OK.rawValue else { throw .connectFailed(status: status) }
        // What was sent and not taken by the peer's kernel within this time ends the connection.
        var milliseconds = UInt32(clamping: configuration.heartbeat.components.seconds * 2000)
        setsockopt(
            amqp_get_sockfd(connection), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, socklen_t(MemoryLayout<UInt32>.size))
    }

    private static func makeEncryptedSocket(
        _ connection: OpaquePointer, _ encryption: AMQPConfiguration.Encryption
    ) throws(AMQPError) -> OpaquePointer? {
        guard let socket = amqp_ssl_socket_new(connection) else { return nil }
        guard amqp_ssl_socket_set_cacert(socket, encryption.authorityFile) == AMQP_STATUS_OK.rawValue else {
            throw AMQPError(.connectFailed, "the file of certificate authorities can't be used")
        }
        if let certificate = encryption.certificateFile, let key = encryption.keyFile {
            guard amqp_ssl_socket_set_key(socket, certificate, key) == AMQP_STATUS_OK.rawValue else {
                throw AMQPError(.connectFailed, "the client's certificate or key can't be used")
            }
        }
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        // 0.11 would allow TLS 1.0.
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == AMQP_STATUS_OK.rawValue else {
            throw AMQPError(.connectFailed, "TLS 1.2 is not available")
        }
        return socket
    }

    private static func logIn(_ connection: OpaquePointer, _ configuration: AMQPConfiguration, name: String) throws(AMQPError) {
        var handshake = timeval(configuration.connectTimeout)
        _ = amqp_set_handshake_timeout(connection, &handshake)
        var rpc = timeval(AMQPSession.rpcTimeout)
        _ = amqp_set_rpc_timeout(connection, &rpc)
        let arena = FieldArena()
        // Without the first two the broker would never tell that it takes nothing more, or that a queue is gone.
        var properties = arena.table([
            "connection_name": .string(name),
            "capabilities": .table([
                "connection.blocked": true, "consumer_cancel_notify": true, "basic.nack": true, "publisher_confirms": true,
            ]),
        ])
        let reply = florin_amqp_login_plain(
            connection, configuration.virtualHost, largestFrame, Int32(clamping: configuration.heartbeat.components.seconds), &properties,
            configuration.user, configuration.password)
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            guard reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD, let close = reply.reply.decoded?.load(as: amqp_connection_close_t.self) else {
                throw AMQPError(.connectFailed, "the broker answered something else")
            }
            throw AMQPError(
                .connectFailed, "the broker lets nobody in", replyCode: Int(close.reply_code), brokerText: close.reply_text.text)
        default: throw .connectFailed(status: reply.library_error)
        }
    }
}

extension timeval {
    init(_ duration: Duration) {
        self.init(tv_sec: Int(duration.components.seconds), tv_usec: Int(duration.components.attoseconds / 1_000_000_000_000))
    }
}

extension AMQPError {
    static func connectFailed(status: Int32) -> AMQPError { AMQPError(.connectFailed, words(for: status)) }
    static func lost(status: Int32) -> AMQPError { AMQPError(.connectionLost, words(for: status)) }

    init(closing close: amqp_channel_close_t) {
        self.init(.channelClosed, replyCode: Int(close.reply_code), brokerText: close.reply_text.text)
    }

    init(closing close: amqp_connection_close_t) {
        self.init(.connectionLost, "the broker closed the connection", replyCode: Int(close.reply_code), brokerText: close.reply_text.text)
    }

    /// The library's words for a status; they hold no data.
    private static func words(for status: Int32) -> String {
        amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)"
    }
}
