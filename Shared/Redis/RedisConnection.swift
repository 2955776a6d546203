import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One connection to a server, shared by any number of callers: commands are written one behind the other, replies come in their order.
///
/// What is decided, ``RedisConnectionState`` decides; this type moves bytes. Commands submitted from any thread are collected and written
/// together by the connection's event loop, so that a burst costs one wake-up and one write.
package final class RedisConnection: Sendable {
    /// A time-out is noticed by at most this much late.
    private static let lookoutGranularity = TimeAmount.milliseconds(5)

    private struct Shared: ~Copyable {
        var state: RedisConnectionState<RedisWaiter>
        /// Commands that were accepted and are not handed to the channel.
        var unwritten = ByteBuffer()
        var isWriteScheduled = false
        /// The earliest end of the wait of those.
        var earliestUnwritten = NIODeadline.distantFuture
        /// When the event loop will look next; nil when nothing is waited for.
        var lookoutAt: NIODeadline?
    }

    private let channel: any Channel
    private let options: RedisOptions
    private let instruments: RedisInstruments
    private let shared: Mutex<Shared>

    init(channel: any Channel, options: RedisOptions, instruments: RedisInstruments) {
        self.channel = channel
        self.options = options
        self.instruments = instruments
        shared = Mutex(
            Shared(state: RedisConnectionState(maximumInFlight: options.maximumInFlight, silenceLimit: TimeAmount(options.silenceLimit))))
    }

    /// Opens a connection, encrypted if the configuration says so, and logs in.
    ///
    /// - Throws: `connectFailed`, or `refused` when the server does not accept user and password.
    static func open(
        _ configuration: RedisConfiguration, options: RedisOptions, instruments: RedisInstruments, group: any EventLoopGroup
    ) async throws(RedisError) -> RedisConnection {
        let connection: RedisConnection
        do {
            let context = configuration.isEncrypted ? try NIOSSLContext(configuration: configuration.encryption) : nil
            connection = try await ClientBootstrap(group: group)
                .connectTimeout(TimeAmount(options.connectTimeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .connect(host: configuration.host, port: configuration.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let connection = RedisConnection(channel: channel, options: options, instruments: instruments)
                        if let context {
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: context, serverHostname: configuration.serverName))
                        }
                        try channel.pipeline.syncOperations.addHandler(RedisChannelHandler(connection: connection))
                        return connection
                    }
                }
        } catch {
            throw .connectFailed(RedisConnectFailure.reason(of: error))
        }
        do throws(RedisError) {
            try await connection.logIn(configuration)
        } catch {
            connection.close(error)
            throw error
        }
        return connection
    }

    var isOpen: Bool { shared.withLock { $0.state.isOpen } }

    /// Sends a command and waits for its reply, by default for as long as the options say.
    ///
    /// - Throws: `server` when the reply is an error; `timedOut`, `cancelled` or `connectionLost` when there is none, and the command may
    ///   have been carried out all the same; `tooManyInFlight`, `commandTooLarge` or `notConnected` when it was not sent.
    package func send(_ command: RedisCommand, timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        do throws(RedisError) {
            let waiter = RedisWaiter()
            try submit(command, waiter, timeout ?? options.commandTimeout)
            return try await waiter.result().get()
        } catch {
            instruments.failed(error)
            throw error
        }
    }

    private func submit(_ command: RedisCommand, _ waiter: RedisWaiter, _ timeout: Duration) throws(RedisError) {
        guard command.encoded.count <= RedisCommand.maximumBytes else { throw .commandTooLarge }
        let now = NIODeadline.now()
        let (submission, mustSchedule, inFlight) = shared.withLock { shared in
            let submission = shared.state.submit(waiter, now: now, timeout: TimeAmount(timeout))
            guard submission == .accepted else { return (submission, false, 0) }
            shared.unwritten.writeBytes(command.encoded)
            shared.earliestUnwritten = min(shared.earliestUnwritten, now + TimeAmount(timeout))
            let mustSchedule = !shared.isWriteScheduled
            shared.isWriteScheduled = true
            return (submission, mustSchedule, shared.state.inFlight)
        }
        if case .refused(let error) = submission { throw error }
        instruments.sent()
        instruments.inFlight(inFlight)
        if mustSchedule { channel.eventLoop.execute { self.write() } }
    }

    /// On the event loop: writes what was collected.
    private func write() {
        let (bytes, mustLook) = shared.withLock { shared in
            let bytes = shared.unwritten
            shared.unwritten = ByteBuffer()
            shared.isWriteScheduled = false
            let mustLook = shared.lookoutAt.map { shared.earliestUnwritten < $0 } ?? true
            shared.earliestUnwritten = .distantFuture
            return (bytes, mustLook)
        }
        channel.writeAndFlush(bytes, promise: nil)
        if mustLook { look() }
    }

    /// On the event loop: tells those whose time is over, and comes back when the next one's is.
    private func look() {
        let now = NIODeadline.now()
        let lookout = shared.withLock { shared in
            var lookout = shared.state.look(now: now)
            lookout.next = lookout.next.map { max($0, now + Self.lookoutGranularity) }
            shared.lookoutAt = lookout.isDead ? nil : lookout.next
            return lookout
        }
        for waiter in lookout.timedOut { waiter.settle(.failure(.timedOut)) }
        if lookout.isDead {
            close(.connectionLost)
        } else if let next = lookout.next {
            channel.eventLoop.scheduleTask(deadline: next) {
                // One that was overtaken by a shorter wait has nothing to say.
                if self.shared.withLock({ $0.lookoutAt == next }) { self.look() }
            }
        }
    }

    /// On the event loop: replies have come.
    func received(_ values: [RedisValue]) {
        let now = NIODeadline.now()
        var mustClose: RedisError?
        let (receptions, inFlight) = shared.withLock { shared in
            (values.map { shared.state.received($0, now: now) }, shared.state.inFlight)
        }
        instruments.inFlight(inFlight)
        for reception in receptions {
            switch reception {
            case .answer(let waiter, let result, let waited, let isLast):
                instruments.answered(afterNanoseconds: waited.nanoseconds)
                waiter.settle(result)
                if isLast { mustClose = .connectionLost }
            case .late, .outOfBand: break
            case .unsolicited: mustClose = .malformedReply(.unsolicited)
            }
        }
        if let mustClose { close(mustClose) }
    }

    /// Fails whoever still waits, and closes the connection.
    func close(_ error: RedisError) {
        let (waiters, wasOpen) = shared.withLock { shared in
            let wasOpen = shared.state.isOpen
            return (shared.state.close(error), wasOpen)
        }
        // Later there may be another connection with commands of its own.
        if wasOpen { instruments.inFlight(0) }
        for waiter in waiters { waiter.settle(.failure(error)) }
        channel.close(promise: nil)
    }

    /// Returns when the connection has ended; cancellation ends it.
    func closed() async {
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            close(.connectionLost)
        }
    }

    // MARK: log-in

    private func logIn(_ configuration: RedisConfiguration) async throws(RedisError) {
        if let password = configuration.password {
            try await greet(RedisCommand("AUTH", (configuration.user.map { [$0] } ?? []).map { Array($0.utf8) } + [Array(password.utf8)]))
        }
        do throws(RedisError) {
            try await greet(RedisCommand("CLIENT SETNAME", configuration.clientName))
        } catch .server {
            // A user that may not name itself is nameless.
        }
        if configuration.database != 0 { try await greet(RedisCommand("SELECT", "\(configuration.database)")) }
    }

    /// One step of the log-in. What the server says about a wrong password is said in words of ours.
    private func greet(_ command: RedisCommand) async throws(RedisError) {
        let reply: RedisValue
        do throws(RedisError) {
            reply = try await send(command, timeout: options.connectTimeout)
        } catch .server(let error) {
            switch error.code {
            case "NOAUTH": throw .refused("it wants a password and the URL has none")
            case "WRONGPASS": throw .refused("user or password is wrong")
            case _ where "\(command.name)" == "AUTH": throw .refused("it does not accept the URL's user and password")
            case _ where "\(command.name)" == "SELECT": throw .refused("it does not let us use the URL's database")
            default: throw .server(error)
            }
        } catch .notConnected {
            // It ended before this step; the reason is a failed TLS handshake, say.
            throw Self.failure(of: shared.withLock { $0.state.end } ?? .connectionLost)
        } catch {
            throw Self.failure(of: error)
        }
        guard reply == .simple("OK") else { throw .unexpectedReply }
    }

    private static func failure(of error: RedisError) -> RedisError {
        switch error {
        case .timedOut: .connectFailed("no reply in time")
        case .connectionLost: .connectFailed("the server ended the connection")
        default: error
        }
    }
}

extension RedisConfiguration {
    fileprivate var encryption: TLSConfiguration {
        var configuration = tls()
        // What the fleet's services speak among each other; Redis has no such names.
        configuration.applicationProtocols = []
        return configuration
    }

    /// The name that the certificate must be for; nil for an address, which is compared as such.
    fileprivate var serverName: String? { (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil }
}
