import NIOCore
import NIOPosix
import ServiceClient
import ServiceRuntime

/// The service that is put under load, over plain HTTP.
package struct LoadTarget: Sendable {
    /// Why a URL names no target; safe to log.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description = "the URL must be http://host:port, without path"
    }

    /// The largest answer of the ledger's hot routes fits, so that it comes in one read.
    private static let receiveBytes = 4_096
    /// The same of identity's, which hold two tokens and a refresh token.
    static let receiveBytesOfTokens = 8_192
    /// The same for the answer to a batch, per transfer.
    private static let receiveBytesPerItem = 64
    private static let connectLimit: TimeAmount = .seconds(5)

    /// Host and port, as they stand in the Host field.
    package let authority: String
    private let service: String
    private let host: String
    private let port: Int

    package init(url: String, of service: String = "wallet-ledger") throws(Invalid) {
        guard let address = try? ServiceAddress(url), address.scheme == "http", let colon = address.authority.lastIndex(of: ":"),
            let port = Int(address.authority[address.authority.index(after: colon)...])
        else { throw Invalid() }
        authority = address.authority
        self.service = service
        host = String(address.authority[..<colon])
        self.port = port
    }

    /// Sends the requests over so many connections, in their order, until the time or the requests are over; otherwise as ``run(_:connections:limit:rate:receiveBytes:)``.
    ///
    /// - Throws: ``UnreachableDependency``.
    package func run(
        _ requests: [[UInt8]], connections: Int, limit: Duration, rate: Int? = nil, expectedStatus: Int, transfersPerRequest: Int = 1
    ) async throws -> LoadOutcome {
        let receiveBytes = Self.receiveBytes + (transfersPerRequest - 1) * Self.receiveBytesPerItem
        return try await run(connections: connections, limit: limit, rate: rate, receiveBytes: receiveBytes) {
            PreparedRequests(requests, expectedStatus: expectedStatus, transfersPerRequest: transfersPerRequest)
        }
    }

    /// Does the work over so many connections, until the time or the work is over.
    ///
    /// - Parameters:
    ///   - rate: Pieces of work a second, each at its time or, when no connection is free then, as soon as one is; without it every
    ///     connection begins another as soon as it has done one.
    ///   - work: Made on the event loop, before the clock starts.
    ///
    /// Every connection is open before the clock starts; all live on one event loop, which costs one thread.
    ///
    /// - Throws: ``UnreachableDependency`` when a connection does not open. Afterwards nothing throws: the outcome tells.
    package func run(
        connections: Int, limit: Duration, rate: Int? = nil, receiveBytes: Int, _ work: @escaping @Sendable () -> any LoadWork
    ) async throws -> LoadOutcome {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let running = loop.flatSubmit {
            let run = LoadRun(work(), limit: TimeAmount(limit), rate: rate, eventLoop: loop)
            return connect(run, connections: connections, receiveBytes: receiveBytes, on: loop).assumeIsolated().flatMap { run.begin() }.nonisolated()
        }
        do {
            return try await running.get()
        } catch {
            let cause = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
            throw UnreachableDependency("\(service) at \(authority)", reason: "\(cause)")
        }
    }

    private func connect(_ run: LoadRun, connections: Int, receiveBytes: Int, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(run, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.connectLimit)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            // One read per wake-up: the answer to the one request in flight is all there is to read.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveBytes))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LoadConnection(run: bound.value))
                }
            }
        return EventLoopFuture<any Channel>.andAllSucceed((0..<connections).map { _ in bootstrap.connect(host: host, port: port) }, on: loop)
    }
}
