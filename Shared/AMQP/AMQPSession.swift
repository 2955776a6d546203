internal import CRabbitMQ
internal import Glibc

/// One connection with one channel, for the one thread that uses it.
///
/// One channel, because librabbitmq 0.11 drops other channels' queued frames in some of its calls; one thread, because it locks nothing.
/// Nothing here waits longer than the configuration's time-outs, given somebody who looks after the watchdog. After an error the session
/// is of no more use, `channelClosed` excepted.
final class AMQPSession {
    static let channel: amqp_channel_t = 1
    private static let replySuccess: Int32 = 200
    /// An RPC that takes longer ends the connection.
    static let rpcTimeout = Duration.seconds(10)
    static let closeTimeout = Duration.seconds(2)

    let handle: ConnectionHandle
    let arena = FieldArena()
    private let watchdog: CallWatchdog
    private let descriptor: Int32
    private var content = ContentAssembly()
    private var isBroken = false
    /// As agreed with the broker; zero means none.
    let heartbeat: Duration

    /// - Throws: `connectFailed`.
    init(_ open: consuming OpenedConnection, watchdog: CallWatchdog) throws(AMQPError) {
        handle = open.handle
        descriptor = amqp_get_sockfd(handle.pointer)
        heartbeat = .seconds(Int(amqp_get_heartbeat(handle.pointer)))
        self.watchdog = watchdog
        try watchdog.attach(descriptor)
    }

    // Shut down first: what the library still wants to write when it closes must not wait for a dead peer.
    deinit { watchdog.detach() }

    var pointer: OpaquePointer { handle.pointer }

    /// The next thing that the broker sent, or nil when there is none now. Sends heartbeats that are due, and finds out about a dead peer,
    /// so it must be called several times per heartbeat.
    /// - Throws: `connectionLost`.
    func nextEvent() throws(AMQPError) -> IncomingEvent? {
        while true {
            // What was decoded before is copied by now; without this the library's memory grows without bound.
            amqp_maybe_release_buffers(pointer)
            var frame = amqp_frame_t()
            var noTime = timeval()
            let status = watchdog.guarding { amqp_simple_wait_frame_noblock(pointer, &frame, &noTime) }
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            try check(status)
            if let event = try read(frame) { return event }
        }
    }

    /// Waits until the broker sends something, `wakeUp` is signalled, or the time is over.
    /// - Parameter isWriting: whether room for writing ends the wait too.
    func wait(for wakeUp: WakeUp, atMost limit: Duration, isWriting: Bool) {
        let events = Int16(isWriting ? POLLIN | POLLOUT : POLLIN)
        var entries = [pollfd(fd: descriptor, events: events, revents: 0), pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
        _ = poll(&entries, 2, limit.pollMilliseconds)
    }

    /// Whether a message of ordinary size can be written without waiting; Linux says so when a third of the buffer is free.
    var isWritable: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// Sends a message; what becomes of it is told later, by its tag.
    /// - Throws: `connectionLost`, after which it may or may not have been sent.
    func publish(_ publication: AMQPPublication, isMandatory: Bool) throws(AMQPError) {
        arena.reset()
        let message = publication.message
        var properties = amqp_basic_properties_t()
        properties._flags = UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG)
        properties.delivery_mode = UInt8((message.isPersistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT).rawValue)
        func set(_ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>, _ flag: Int32, _ text: String?) {
            guard let text else { return }
            properties[keyPath: field] = arena.bytes(text)
            properties._flags |= UInt32(flag)
        }
        set(\.message_id, AMQP_BASIC_MESSAGE_ID_FLAG, message.messageID)
        set(\.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG, message.contentType)
        set(\.type, AMQP_BASIC_TYPE_FLAG, message.type)
        set(\.correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG, message.correlationID)
        set(\.app_id, AMQP_BASIC_APP_ID_FLAG, message.appID)
        set(\.user_id, AMQP_BASIC_USER_ID_FLAG, message.userID)
        if let timestamp = message.timestamp {
            properties.timestamp = timestamp
            properties._flags |= UInt32(AMQP_BASIC_TIMESTAMP_FLAG)
        }
        if !message.headers.isEmpty {
            properties.headers = arena.table(message.headers)
            properties._flags |= UInt32(AMQP_BASIC_HEADERS_FLAG)
        }
        let exchange = arena.bytes(publication.exchange)
        let routingKey = arena.bytes(publication.routingKey)
        let status = message.body.withUnsafeBytes { body in
            let bytes = amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
            return watchdog.guarding {
                amqp_basic_publish(pointer, Self.channel, exchange, routingKey, isMandatory ? 1 : 0, 0, &properties, bytes)
            }
        }
        try check(status)
    }

    /// - Throws: `connectionLost`.
    func acknowledge(tag: UInt64, isMultiple: Bool) throws(AMQPError) {
        try check(watchdog.guarding { amqp_basic_ack(pointer, Self.channel, tag, isMultiple ? 1 : 0) })
    }

    /// - Throws: `connectionLost`.
    func reject(tag: UInt64, isMultiple: Bool, isRequeued: Bool) throws(AMQPError) {
        try check(watchdog.guarding { amqp_basic_nack(pointer, Self.channel, tag, isMultiple ? 1 : 0, isRequeued ? 1 : 0) })
    }

    /// Says good-bye; waits two seconds for the answer at most.
    func close() {
        guard !isBroken else { return }
        var limit = timeval(Self.closeTimeout)
        _ = amqp_set_rpc_timeout(pointer, &limit)
        _ = watchdog.guarding { amqp_connection_close(pointer, Self.replySuccess) }
        isBroken = true
    }

    /// Turns a status of the library into an error.
    func check(_ status: Int32) throws(AMQPError) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        isBroken = true
        throw AMQPError.lost(status: status)
    }

    private func read(_ frame: amqp_frame_t) throws(AMQPError) -> IncomingEvent? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD:
            return read(frame.payload.method)
        case AMQP_FRAME_HEADER where frame.channel == Self.channel:
            guard let properties = frame.payload.properties.decoded?.load(as: amqp_basic_properties_t.self) else { return nil }
            return try content.header(properties, bodySize: frame.payload.properties.body_size)
        case AMQP_FRAME_BODY where frame.channel == Self.channel:
            return try content.body(frame.payload.body_fragment)
        default:
            return nil
        }
    }

    private func read(_ method: amqp_method_t) -> IncomingEvent? {
        guard let decoded = method.decoded else { return method.id == AMQP_CONNECTION_UNBLOCKED_METHOD ? .unblocked : nil }
        switch method.id {
        case AMQP_BASIC_ACK_METHOD:
            let ack = decoded.load(as: amqp_basic_ack_t.self)
            return .confirmed(tag: ack.delivery_tag, isMultiple: ack.multiple != 0)
        case AMQP_BASIC_NACK_METHOD:
            let nack = decoded.load(as: amqp_basic_nack_t.self)
            return .nacked(tag: nack.delivery_tag, isMultiple: nack.multiple != 0)
        case AMQP_BASIC_RETURN_METHOD:
            let back = decoded.load(as: amqp_basic_return_t.self)
            content.begin(
                ReturnedMessage(
                    code: Int(back.reply_code), text: back.reply_text.text, exchange: back.exchange.text, routingKey: back.routing_key.text,
                    messageID: ""))
            return nil
        case AMQP_BASIC_DELIVER_METHOD:
            let delivery = decoded.load(as: amqp_basic_deliver_t.self)
            content.begin(
                DeliveredMessage(
                    tag: delivery.delivery_tag, exchange: delivery.exchange.text, routingKey: delivery.routing_key.text,
                    isRedelivered: delivery.redelivered != 0, message: AMQPMessage(body: [], messageID: "")))
            return nil
        case AMQP_BASIC_CANCEL_METHOD: return .subscriptionCancelled
        case AMQP_CONNECTION_BLOCKED_METHOD: return .blocked(reason: decoded.load(as: amqp_connection_blocked_t.self).reason.text)
        case AMQP_CONNECTION_UNBLOCKED_METHOD: return .unblocked
        case AMQP_CHANNEL_CLOSE_METHOD:
            content.reset()
            return .channelClosed(AMQPError(closing: decoded.load(as: amqp_channel_close_t.self)))
        case AMQP_CONNECTION_CLOSE_METHOD:
            let close = AMQPError(closing: decoded.load(as: amqp_connection_close_t.self))
            answerConnectionClose()
            return .connectionClosed(close)
        default: return nil
        }
    }

    private func answerConnectionClose() {
        var answer = amqp_connection_close_ok_t()
        _ = watchdog.guarding { amqp_send_method(pointer, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer) }
        isBroken = true
    }

    /// Takes note of a channel that the broker closed and answers, as it asks; then another may be opened.
    func answerChannelClose() throws(AMQPError) {
        content.reset()
        var answer = amqp_channel_close_ok_t()
        try check(watchdog.guarding { amqp_send_method(pointer, Self.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer) })
    }

    /// Judges the answer to an RPC, and answers what the broker says instead.
    /// - Throws: `channelClosed`, after which `openChannel()` makes another; `connectionLost`.
    func checkReply() throws(AMQPError) {
        let reply = amqp_get_rpc_reply(pointer)
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            if reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD, let close = reply.reply.decoded?.load(as: amqp_channel_close_t.self) {
                let error = AMQPError(closing: close)
                try answerChannelClose()
                throw error
            }
            let close = reply.reply.decoded?.load(as: amqp_connection_close_t.self)
            let error = close.map(AMQPError.init(closing:)) ?? AMQPError(.connectionLost, "the broker answered something else")
            answerConnectionClose()
            throw error
        default:
            isBroken = true
            throw AMQPError.lost(status: reply.library_error)
        }
    }
}
