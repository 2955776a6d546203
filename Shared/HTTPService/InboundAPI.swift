package import AccessTokens
package import Contracts
internal import HTTPServer
internal import Logging
internal import Redis
internal import ReplayProtection
internal import RequestSigning
package import ServiceIdentity
package import ServiceLifecycle
package import ServiceRuntime

/// An API that takes signed requests with access tokens, as the composition of every service that is called builds it.
///
/// Its keys, certificate and HTTP client are the process's, whose services must run before these.
/// In two steps: what can be wrong with the settings is found before anything is connected to, and the endpoints need what is connected.
package struct InboundAPI: Sendable {
    private let settings: InboundAPISettings
    private let identity: ServiceIdentity
    private let keySetSource: InboundAPISettings.KeySetSource?
    private let redis: RedisConfiguration?

    /// - Throws: ``InvalidConfiguration`` naming the setting that can't be used.
    package init(_ settings: InboundAPISettings, identity: ServiceIdentity) throws(InvalidConfiguration) {
        self.settings = settings
        self.identity = identity
        redis = try ReplayProtection.target(settings.replayWindow, service: identity.service, authorities: identity.tls?.authorities)
        keySetSource = try settings.keySetSource()
    }

    /// What must run for the API, in order of dependency.
    package struct Parts: Sendable {
        /// What the server uses: to run before it, and before what the endpoints use.
        package let services: [any Service]
        /// To run after everything that the endpoints use, so that it is drained first.
        package let server: any Service
        package let healthChecks: [HealthCheck]
    }

    /// Builds the API; the process is ready once it listens.
    ///
    /// - Parameters:
    ///   - keys: Of a service that issues the tokens itself; nil elsewhere, where the settings say where the keys are.
    ///   - mapError: The service's own errors; nil means unknown, answered 500 without detail.
    /// - Throws: ``InvalidConfiguration``.
    package func compose(
        _ context: ProcessContext, endpoints: [Endpoint], keys: JSONWebKeySet? = nil, mapError: @escaping @Sendable (any Error) -> Problem?
    ) async throws -> Parts {
        let replay = try await ReplayProtection.compose(
            redis, service: identity.service, timeout: settings.replayWindow.timeout, logger: context.logger, metrics: context.metrics)
        ReplayProtection.describeMetrics(context.metrics)
        let verifier = RequestVerifier(keys: identity.keys, replayWindow: replay.window)
        guard let keySet = keys ?? fetchedKeySet() else { preconditionFailure("a service that issues tokens hands over its keys") }
        let tokens = AccessTokenVerifier(
            policy: AccessTokenPolicy(issuer: settings.issuer, audience: settings.audience), keys: keySet)
        let pipeline = EndpointPipeline(
            verifier: verifier, tokens: tokens, logger: context.logger, tracer: context.tracer, metrics: context.metrics, mapError: mapError)
        let server = APIServer(
            host: settings.host, port: settings.port, eventLoops: settings.eventLoops, certificate: identity.tls?.certificate,
            limits: .api.ending(within: context.settings.drainTimeout), responder: pipeline.responder(of: endpoints), metrics: context.metrics,
            logger: context.logger,
            onListening: { _ in await Self.ready(context.readiness, notBefore: replay.takesRequestsFrom) })
        let services = replay.services + [KeySetRefresher(keySet: keySet, logger: context.logger)]
        return Parts(services: services, server: server, healthChecks: replay.healthChecks)
    }

    private func fetchedKeySet() -> JSONWebKeySet? {
        // Without authorities of our own an https address is vouched for by the system's.
        switch keySetSource {
        case nil: return nil
        case .file(let path): return JSONWebKeySet(file: path)
        case .address(let source):
            let fetch = KeySetFetch(source, client: identity.client.client, authorities: identity.tls?.authorities)
            return JSONWebKeySet(fetch: { try await fetch() })
        }
    }

    /// With a replay window of its own, the process can't tell a request signed in the second of the start from one that the process
    /// before has seen, and refuses it; so nobody is sent here before that second has passed.
    private static func ready(_ readiness: Readiness, notBefore begin: ContinuousClock.Instant) async {
        try? await Task.sleep(until: begin)
        readiness.started()
    }
}
