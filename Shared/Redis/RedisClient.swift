internal import Concurrency
package import CoreMetrics
package import Logging
import Metrics
package import NIOCore
import NIOPosix
import Outages
import ServiceLifecycle
import Synchronization

/// A client of one Redis server: one pipelined connection, opened again whenever it is lost.
///
/// While there is none, and beyond the bound of commands in flight, a command fails at once: nothing queues up.
package final class RedisClient: Service {
    private struct State {
        var connection: RedisConnection?
        var hasConnected = false
        var outage = OutageLog()
    }

    private let configuration: RedisConfiguration
    private let options: RedisOptions
    private let group: any EventLoopGroup
    private let logger: Logger
    private let instruments: RedisInstruments
    private let prepare: @Sendable (RedisConnection) async throws -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - prepare: Called with each new connection before any caller gets it; when it throws, the connection is closed and another tried.
    package init(
        configuration: RedisConfiguration, options: RedisOptions = RedisOptions(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory,
        prepare: @escaping @Sendable (RedisConnection) async throws -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.options = options
        self.group = group
        self.logger = logger
        self.prepare = prepare
        instruments = RedisInstruments(metrics)
    }

    /// Sends a command and waits for its reply; see ``RedisConnection/send(_:timeout:)``.
    package func send(_ command: RedisCommand) async throws(RedisError) -> RedisValue {
        guard let connection = state.withLock({ $0.connection }) else {
            instruments.failed(.notConnected)
            throw .notConnected
        }
        return try await connection.send(command)
    }

    /// `SET key value NX PX`: stores a value with a time to live if the key is absent.
    ///
    /// - Returns: Whether it was kept, that is whether the key was new.
    package func setIfAbsent(_ key: [UInt8], to value: [UInt8], milliseconds: Int64) async throws(RedisError) -> Bool {
        switch try await send(.setIfAbsent(key, to: value, milliseconds: milliseconds)) {
        case .simple("OK"): return true
        case .null: return false
        default: throw .unexpectedReply
        }
    }

    /// One round trip, for health.
    package func ping() async throws(RedisError) {
        guard try await send(RedisCommand("PING")) == .simple("PONG") else { throw .unexpectedReply }
    }

    /// Opens the connection now instead of in `run()`, to learn at the start what is wrong; `run()` takes it over.
    package func connect() async throws(RedisError) {
        let connection = try await open()
        state.withLock { $0.connection = connection }
    }

    /// Keeps a connection open until the graceful shutdown or cancellation.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.keepConnected() }
        state.withLock { $0.connection.take() }?.close(.notConnected)
    }

    private func keepConnected() async {
        var generator = SystemRandomNumberGenerator()
        var failures = 0
        while !Task.isCancelled {
            let began = ContinuousClock.now
            do throws(RedisError) {
                if state.withLock({ $0.connection }) == nil { try await connect() }
                await state.withLock { $0.connection }?.closed()
                state.withLock { $0.connection = nil }
                guard !Task.isCancelled else { return }
                logger.info("the connection to Redis was lost", metadata: ["redis.target": "\(configuration)"])
                // One that lasted is no sign of trouble; one that ends again and again must not be opened in a loop.
                if ContinuousClock.now - began > options.maximumBackoff { failures = 0 }
            } catch {
                reportError(error)
            }
            failures += 1
            try? await Task.sleep(for: options.backoff.pause(after: failures, using: &generator))
        }
    }

    private func open() async throws(RedisError) -> RedisConnection {
        let connection = try await RedisConnection.open(configuration, options: options, instruments: instruments, group: group)
        do {
            try await prepare(connection)
        } catch {
            connection.close(.connectionLost)
            throw error as? RedisError ?? .connectFailed("it could not be prepared")
        }
        let isAgain = state.withLock { state in
            _ = state.outage.succeeded()
            defer { state.hasConnected = true }
            return state.hasConnected
        }
        if isAgain { instruments.reconnected() }
        logger.info("connected to Redis", metadata: ["redis.target": "\(configuration)"])
        return connection
    }

    private func reportError(_ error: RedisError) {
        guard let failures = state.withLock({ $0.outage.failed(error.description) }) else { return }
        logger.info("no connection to Redis", metadata: ["redis.target": "\(configuration)", "error": "\(error)", "failures": "\(failures)"])
    }
}
