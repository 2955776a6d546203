import Contracts
import HTTPService
import HTTPTypes
import Observability
import ServiceClient
import ServiceIdentity
import ServiceLifecycle
import ServiceRuntime
import StrictJSON
import Synchronization

/// A service that is called and calls: it asks the ledger, and answers with the ledger's status.
enum RelayingService: FlorinService {
    static let name = "mobile-bff"

    struct Settings: ServiceConfiguration {
        static let identity = ServiceIdentitySettings.Declaration(service: name)
        static let api = InboundAPISettings.Declaration(port: 0)
        static let ledger = OutboundSettings.Declaration(callee: "wallet-ledger", prefix: "LEDGER")
        static let declared: [any SettingDeclaration] = identity.declared + api.declared + ledger.declared
        static let defaultAdminPort = 0

        let identity: ServiceIdentitySettings
        let api: InboundAPISettings
        let ledger: OutboundSettings

        init(_ values: SettingValues) throws(InvalidConfiguration) {
            identity = Self.identity.settings(values)
            api = try Self.api.settings(values)
            ledger = try Self.ledger.settings(values)
        }
    }

    /// What the latest composition built, for the test to look at.
    static let composed = Mutex<[any Service]>([])

    static func compose(_ settings: Settings, _ context: ProcessContext) async throws -> ComposedProcess {
        let identity = try ServiceIdentity(settings.identity, service: name)
        let api = try InboundAPI(settings.api, identity: identity)
        let ledger = try Outbound(callee: "wallet-ledger", settings.ledger, identity: identity, context: context)
        let users = TokenAccess.signedWithToken([RouteGrant(callers: ["api-gateway"], holder: .user, scope: "wallet")])
        let relay = Endpoint(.get, "/v1/relay", access: users) { request in
            let call = ServiceRequest(
                method: "GET", target: "/v1/wallets", deadline: request.deadline, authorization: request.headers[.authorization],
                traceparent: request.trace.traceparent, requestID: request.requestID.text)
            return Answer(.ok, Relayed(status: try await ledger.send(call).status))
        }
        let served = try await api.compose(context, endpoints: [relay], mapError: { $0 is ServiceClientError ? Problem(.unavailable) : nil })
        let services = identity.services(context) + served.services
        composed.withLock { $0 = services }
        return ComposedProcess(
            services: services, prerequisites: [], serving: [served.server], healthChecks: served.healthChecks + [ledger.healthCheck])
    }

    private struct Relayed: WireEncodable {
        let status: Int

        func encode(into writer: inout JSONWriter) { writer.object { $0.member("status", Int64(status)) } }
    }
}
