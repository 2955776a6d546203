package import HTTPServer
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOPosix
package import Observability
import ServiceLifecycle
import ServiceRuntime
package import TransportSecurity

/// The server of a service's API.
package struct APIServer: Service {
    /// Connections that wait to be accepted.
    private static let backlog = 1_024

    private let host: String
    private let port: Int
    private let eventLoops: Int
    private let certificate: ServerCertificate?
    private let limits: ServerLimits
    private let responder: RouterResponder<BasicRequestContext>
    private let metrics: PrometheusRegistry
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - port: 0 lets the system choose one.
    ///   - certificate: What to serve HTTPS with; nil serves plain HTTP.
    ///   - onListening: called once with the port that is served; the process is ready then.
    package init(
        host: String, port: Int, eventLoops: Int, certificate: ServerCertificate? = nil, limits: ServerLimits = .api,
        responder: RouterResponder<BasicRequestContext>, metrics: PrometheusRegistry, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.host = host
        self.port = port
        self.eventLoops = eventLoops
        self.certificate = certificate
        self.limits = limits
        self.responder = responder
        self.metrics = metrics
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until it is told to drain: open requests are answered, new connections refused.
    ///
    /// - Throws: ``CannotListen``.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: eventLoops)
        let instruments = ServerInstruments(server: "api", metrics: metrics, logger: logger)
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { [limits, certificate] responder in
                HTTPServerChannel(
                    limits: limits, instruments: instruments, certificate: certificate, staysOnEventLoop: true, responder: responder)
            },
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), backlog: Self.backlog),
            onServerRunning: { [onListening] channel in
                await instruments.watch(channel)
                await onListening(channel.localAddress?.port ?? 0)
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
        do {
            try await CannotListen.naming(host: host, port: port) { try await application.run() }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }
}
