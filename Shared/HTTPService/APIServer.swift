import HTTPServer
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import ServiceRuntime
package import TransportSecurity

/// The server of a service's API.
package struct APIServer: Service {
    /// Connections that wait to be accepted.
    private static let backlog = 1_024
    private static let idleTimeout = TimeAmount.seconds(75)

    private let host: String
    private let port: Int
    private let eventLoops: Int
    private let certificate: ServerCertificate?
    private let responder: RouterResponder<BasicRequestContext>
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - port: 0 lets the system choose one.
    ///   - certificate: What to serve HTTPS with; nil serves plain HTTP.
    ///   - onListening: called once with the port that is served; the process is ready then.
    package init(
        host: String, port: Int, eventLoops: Int, certificate: ServerCertificate? = nil,
        responder: RouterResponder<BasicRequestContext>, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.host = host
        self.port = port
        self.eventLoops = eventLoops
        self.certificate = certificate
        self.responder = responder
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until it is told to drain: open requests are answered, new connections refused.
    ///
    /// - Throws: ``CannotListen``.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: eventLoops)
        let configuration = HTTP1Channel.Configuration(
            idleTimeout: Self.idleTimeout,
            httpDecoderConfiguration: .init(maxHeaderFieldSize: 16_384, maxHeaderListSize: 32_768, maxHeaderFieldCount: 64))
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { [certificate] handle in
                let answering = OneAnswerHTTP1Channel(wrapped: HTTP1Channel(responder: handle, configuration: configuration))
                let channel = PinnedHTTP1Channel(wrapped: answering)
                guard let certificate else { return channel }
                return EncryptedChannel(certificate: certificate, wrapped: channel)
            },
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), backlog: Self.backlog),
            onServerRunning: { [onListening] channel in await onListening(channel.localAddress?.port ?? 0) },
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
