import Contracts
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import Observability
import RequestSigning
import TestSupport
import Testing

@testable import Identity

/// What the hooks of Schemathesis are told.
private struct Party: Encodable {
    let origin: String
    let gateway: String
    let app: String
    let tally: String
    /// Where the code of the latest mail to an address is to be had.
    let mails: String
    /// A first-party app, in which people sign in.
    let native: String
    let machine: [String]
    /// A relying party's.
    let redirectURI: String
    let accounts: [String]
    let password: String
}

@Suite(
    "The document against the running service",
    .enabled("Schemathesis can be installed") { await OutsideTool.isAvailable(SchemathesisRun.install) })
struct DocumentTests {
    private static let accountCount = 400

    @Test("identity: no answer is one that the document does not promise, for its clients, the people who sign in, and the fleet")
    func schemathesis() async throws {
        try await SchemathesisRun.install()
        let (api, folder) = (try await ProviderAPI.shared(), try TemporaryFolder("schemathesis"))
        _ = try await RegisterClient(pool: api.identity.pool, now: Timestamp.now)(
            OAuthClient(
                id: "native", name: "App", isConfidential: false, isFirstParty: true, grants: [.authorizationCode, .refreshToken],
                scopes: ["openid", "profile", "email", "offline_access", "wallet"]))
        let run = SchemathesisRun(service: Identity.name, port: api.port, folder: folder.path, hooks: "identity", settings: "identity.toml")
        let party = Party(
            origin: "http://127.0.0.1:\(api.port)", gateway: api.keys.path(of: "api-gateway"), app: api.keys.path(of: "mobile-bff"),
            tally: run.tally, mails: "http://127.0.0.1:\(try await mails(of: api))/mails", native: "native",
            machine: ["machine", api.secrets["machine"] ?? ""], redirectURI: ProviderAPI.redirectURI, accounts: try await accounts(in: api.identity),
            password: CredentialFixture.password)
        let (answers, findings) = try await run.ask(as: JSONEncoder().encode(party))
        if let findings { Issue.record("\(findings)") }
        #expect(try run.faults(of: answers) == [])
    }

    private func mails(of api: ProviderAPI) async throws -> Int {
        let keys = try api.openingKeys
        return try await PageServer.start([
            Endpoint(.get, "/mails/{address}", access: .public) { (request: PublicRequest) in
                guard let code = try await api.identity.mailedCode(to: request.parameters.get("address") ?? "", opening: keys) else {
                    throw Problem(ProblemCode.notFound)
                }
                return Answer.html(code)
            }
        ])
    }

    /// People who can sign in by the same password, each to be used up by one request.
    private func accounts(in identity: IdentityFixture) async throws -> [String] {
        let hasher = PasswordHasher(cost: CredentialFixture.cost, threads: 1, waiting: 1, patience: .seconds(60))
        var addresses: [String] = []
        for number in 1...Self.accountCount {
            let address = "person-\(number)@example.com"
            try await identity.give(CredentialFixture.password, to: try await identity.makeUser(address), by: hasher)
            addresses.append(address)
        }
        return addresses
    }
}
