package import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The HTTP client of a process, with its pool of connections: calls to other services and the issuer's keys share it.
///
/// AsyncHTTPClient's own defaults suit a script that fetches pages; here each one that matters is set, and says why.
package final class FleetHTTPClient: Sendable {
    /// A callee in the same network answers or it doesn't.
    package static let defaultConnectTimeout = Duration.milliseconds(250)
    /// Callers keep their calls below it, so that nobody waits in the pool's queue, which has no bound.
    package static let connectionsPerHost = 64
    /// Shorter than the services' own (75 s), so that the callee does not close a connection just as it is used again.
    package static let idleTimeout = Duration.seconds(30)

    package let client: HTTPClient

    /// - Parameters:
    ///   - connectTimeout: Until a connection is open, TLS included; and the longest wait for one in the pool's queue.
    ///   - connectionsPerHost: Open at once to one callee.
    package init(
        connectTimeout: Duration = FleetHTTPClient.defaultConnectTimeout, connectionsPerHost: Int = FleetHTTPClient.connectionsPerHost
    ) {
        var configuration = HTTPClient.Configuration()
        // A redirect would carry a signature and a token to where they do not belong. (Default: five are followed.)
        configuration.redirectConfiguration = .disallow
        // HTTP/2 over TLS would share one connection per host. (Default: whatever TLS negotiates.)
        configuration.httpVersion = .http1Only
        // Signed digests are of the bytes as sent, and a small answer may not grow in memory.
        configuration.decompression = .disabled
        // Every try has a span of its own already; and a field added here would not be signed.
        configuration.tracing.tracer = nil
        configuration.timeout.connect = TimeAmount(connectTimeout)
        // Of a whole exchange only the caller's own deadline decides: this one would end with the head of the answer.
        configuration.timeout.read = nil
        configuration.connectionPool.idleTimeout = TimeAmount(Self.idleTimeout)
        // Default: 8, and whoever comes ninth waits in the queue.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsPerHost
        // Retrying is the caller's business; here it would hide a refused connection until the time-out. (Default: on.)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(ReusedConnectionWatch(), position: .after(pipeline.handler(type: HTTPRequestEncoder.self)))
            }
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        // A composition that failed half-way drops it unused; after `close()` this does nothing.
        client.shutdown { _ in }
    }

    /// Closes all connections; calls under way fail.
    package func close() async {
        try? await client.shutdown()
    }
}
