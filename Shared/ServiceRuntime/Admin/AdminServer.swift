package import HTTPServer
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import Observability
import ServiceLifecycle

/// The admin port: `/livez`, `/readyz` and `/metrics`, for the platform and never for clients.
package struct AdminServer: Service {
    /// Probes and scrapes are few; more waiting connections are a mistake.
    private static let backlog = 16
    private static let jsonMediaType = "application/json"

    private let host: String
    private let port: Int
    private let readiness: Readiness
    private let checks: [HealthCheck]
    private let limits: ServerLimits
    private let metrics: PrometheusRegistry
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameters:
    ///   - port: 0 lets the system choose one.
    ///   - onListening: Called once with the port that is served.
    package init(
        host: String, port: Int, readiness: Readiness, checks: [HealthCheck], limits: ServerLimits = .admin, metrics: PrometheusRegistry,
        logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.readiness = readiness
        self.checks = checks
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the drain reaches it, which is last.
    ///
    /// - Throws: ``CannotListen``.
    package func run() async throws {
        let instruments = ServerInstruments(server: "admin", metrics: metrics, logger: logger)
        let application = Application(
            router: router,
            server: HTTPServerBuilder { [limits] responder in
                HTTPServerChannel(limits: limits, instruments: instruments, staysOnEventLoop: false, responder: responder)
            },
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), backlog: Self.backlog),
            onServerRunning: { [onListening] channel in
                await instruments.watch(channel)
                onListening(channel.localAddress?.port ?? 0)
            },
            logger: logger)
        try await CannotListen.naming(host: host, port: port) { try await application.run() }
    }

    private var router: Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("livez") { _, _ in
            Self.response(.ok, mediaType: Self.jsonMediaType, #"{"status":"ok"}"#)
        }
        router.get("readyz") { [readiness, checks] _, _ in
            let report = await HealthReport.make(phase: readiness.phase, checks: checks)
            return Self.response(report.isReady ? .ok : .serviceUnavailable, mediaType: Self.jsonMediaType, report.json)
        }
        router.get("metrics") { [metrics] _, _ in
            Self.response(.ok, mediaType: PrometheusText.mediaType, metrics.render())
        }
        return router
    }

    private static func response(_ status: HTTPResponse.Status, mediaType: String, _ text: String) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = mediaType
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
