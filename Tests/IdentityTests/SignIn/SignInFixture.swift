import AccessTokens
import Contracts
import Crypto
import Foundation
import HTTPService
import Logging
import Observability
import Postgres
import RequestSigning
import Sealing
import ServiceDatabase
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// The sign-in pages and the token endpoint on a real server and database, with a clock that the test moves.
final class SignInFixture: ServedAPI {
    static let issuer = "https://id.example"
    static let redirectURI = "https://rp.example/cb"
    static let password = CredentialFixture.password
    static let verifier = String(repeating: "v", count: 43)
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let credentials: CredentialFixture
    let provider: Provider
    let port: Int
    let documented: DocumentedAPI
    private let callers: CallerCredentials
    private let folder: TemporaryFolder
    private let openingKeys: OpeningKeys
    private let serving: Task<Void, Never>

    var identity: IdentityFixture { credentials.identity }
    var clock: TestClock { identity.clock }

    init() async throws {
        let credentials = try await CredentialFixture()
        let (pool, clock, registry) = (credentials.identity.pool, credentials.identity.clock, PrometheusRegistry())
        // The callers' keys are good from now on, by the machine's clock.
        clock.advance(by: .seconds(WallClock.microsecondsSinceUnixEpoch() / 1_000_000 + 5 - clock.seconds))
        let now: @Sendable () -> Timestamp = { clock.now }
        let provider = Provider(
            issuer: Self.issuer, pool: pool, box: credentials.secrets, clock: ClockWitness(), metrics: registry, logger: Self.quiet, now: now)
        try await provider.keys.refresh()
        folder = try TemporaryFolder("sign-in")
        try SealingKeyGenerator(privatePath: "\(folder.path)/sealing.json", publicPath: "\(folder.path)/sealing-public.json").make(id: "test")
        openingKeys = try OpeningKeys(file: "\(folder.path)/sealing.json")
        let signIn = SignIn(
            issuer: Self.issuer, pool: pool, pages: try PageRenderer(directory: RepositoryRoot.path("Services/Identity/Pages"), issuer: Self.issuer),
            provider: provider, verifyPassword: credentials.verifyPassword, verifySecondFactor: credentials.verifySecondFactor,
            messages: RequestMessage(sealingTo: try SealingKey(file: "\(folder.path)/sealing-public.json")), now: now)
        callers = try CallerCredentials(
            callee: Identity.name, pairs: ["mobile-bff", "backoffice"].map { .init(caller: $0, callee: Identity.name) }, folder: folder.path)
        documented = try DocumentedAPI(path: RepositoryRoot.path("Shared/Contracts/OpenAPI/identity.json"))
        let pipeline = EndpointPipeline(
            // By the test's clock, and nothing was signed before this process began.
            verifier: RequestVerifier(
                keys: try SigningKeyStore(path: callers.keysFile), replayWindow: InProcessReplayWindow(startedAt: clock.seconds - 60)),
            tokens: AccessTokenVerifier(
                policy: AccessTokenPolicy(issuer: Self.issuer, audience: OAuthClient.defaultAudience), keys: provider.keySet),
            logger: Self.quiet, metrics: registry, now: { clock.now.microsecondsSinceUnixEpoch }, mapError: identityProblem)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = APIServer(
            host: "127.0.0.1", port: 0, eventLoops: 1, responder: pipeline.responder(of: signIn.endpoints + provider.endpoints),
            metrics: registry, logger: Self.quiet, onListening: { listening.yield($0) })
        serving = Task {
            try? await server.run()
            listening.finish()
        }
        guard let port = await ports.first(where: { _ in true }) else { throw ServedProcess.NotServing(description: "the pages are not served") }
        self.port = port
        self.credentials = credentials
        self.provider = provider
        for client in [Self.client("rp-1"), Self.client("own-1", isFirstParty: true)] {
            _ = try await RegisterClient(pool: pool, now: now)(client)
        }
    }

    deinit { serving.cancel() }

    func signer(_ caller: String) -> RequestSigner { callers.signer(caller) }

    /// Sends a signed request with a person's token.
    func send(_ method: String, _ target: String, _ body: String? = nil, token: String?) async throws -> SignedAnswer {
        var call = SignedCall(method, target, body, as: Party(caller: "mobile-bff", token: token))
        call.created = clock.seconds
        return try await exchange(call)
    }

    static func client(_ id: String, isFirstParty: Bool = false) -> OAuthClient {
        OAuthClient(
            id: id, name: "Relying party", isConfidential: false, isFirstParty: isFirstParty, redirectURIs: [redirectURI],
            postLogoutRedirectURIs: ["https://rp.example/bye"], grants: [.authorizationCode, .refreshToken],
            scopes: ["openid", "profile", "email", "offline_access", "wallet"])
    }

    func browser(_ cookies: [String: String] = [:]) -> TestBrowser { TestBrowser(port: port, origin: Self.issuer, cookies: cookies) }

    /// An authorization request.
    ///
    /// - Parameter more: Added as it stands, encoded.
    static func authorize(_ client: String = "own-1", state: String = "s1", scope: String = "openid wallet", _ more: String = "") -> String {
        let challenge = Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8))))
        return "/oauth2/authorize?response_type=code&client_id=\(client)&redirect_uri=\(TestBrowser.encoded(redirectURI))"
            + "&scope=\(TestBrowser.encoded(scope))&state=\(state)&code_challenge=\(challenge)&code_challenge_method=S256\(more)"
    }

    // MARK: the steps of a person

    /// Opens an authorization request and the page that it leads to.
    func open(_ browser: TestBrowser, _ target: String = authorize()) async throws -> TestBrowser.Page {
        let answer = try await browser.get(target)
        #expect(answer.status == 303 && answer.location?.hasPrefix("/signin?flow=") == true, "\(answer)")
        return try await follow(browser, answer)
    }

    /// Opens the page that an answer leads to.
    func follow(_ browser: TestBrowser, _ answer: TestBrowser.Page) async throws -> TestBrowser.Page {
        try await browser.get(try #require(answer.location, "\(answer)"))
    }

    func enter(
        _ browser: TestBrowser, _ page: TestBrowser.Page, email: String, password: String = password, fields: [String: String] = [:]
    ) async throws -> TestBrowser.Page {
        try await browser.post("/signin/password", try hidden(page) + [("email", email), ("password", password)], fields)
    }

    func enterCode(_ browser: TestBrowser, _ page: TestBrowser.Page, _ code: String) async throws -> TestBrowser.Page {
        try await browser.post("/signin/code", try hidden(page) + [("code", code)])
    }

    func decide(_ browser: TestBrowser, _ page: TestBrowser.Page, _ decision: String) async throws -> TestBrowser.Page {
        try await browser.post("/signin/consent", try hidden(page) + [("decision", decision)])
    }

    /// What a form of a page posts without being typed.
    func hidden(_ page: TestBrowser.Page) throws -> [(String, String)] {
        [("flow", try #require(page.field("flow"), "\(page)")), ("csrf", try #require(page.field("csrf"), "\(page)"))]
    }

    /// Signs in by password, all the way.
    func signIn(_ browser: TestBrowser, _ email: String, _ target: String = authorize()) async throws -> TestBrowser.Page {
        try await enter(browser, try await open(browser, target), email: email)
    }

    // MARK: what came of it

    /// What the token endpoint gives for a code.
    func tokens(_ code: String?, client: String = "own-1", redirectURI: String? = redirectURI) async throws -> JSONValue {
        let answer = try await TestBrowser(port: port, origin: Self.issuer).post(
            "/oauth2/token",
            [
                ("grant_type", "authorization_code"), ("code", code ?? ""), ("redirect_uri", redirectURI ?? ""), ("client_id", client),
                ("code_verifier", Self.verifier),
            ])
        return try JSONParser.parse(Array(answer.body.utf8))
    }

    /// What the ID token says that the client gets for the code that a browser was sent away with; or the error.
    func redeem(_ page: TestBrowser.Page, client: String = "own-1") async throws -> JSONValue {
        let body = try await tokens(page.query["code"], client: client)
        guard let token = body["id_token"]?.stringValue else { return body }
        return try ProviderFixture.parts(token).claims
    }

    /// The mails that were asked for, as notification reads them.
    func mails() async throws -> [(purpose: MessagePurpose, content: MessageContent)] {
        let rows = try await identity.query(
            "SELECT event_id, data FROM outbox_events WHERE type = 'identity.message.requested.v1' ORDER BY id"
        ) { row in try row.decode(UUID.self, String.self) }
        return try rows.map { id, data in
            var object = try JSONObjectReader(JSONParser.parse(Array(data.utf8)))
            let event = try MessageRequestedEvent(reading: &object, type: .requested)
            return (event.purpose, try MessageContent(bytes: try openingKeys.open(event.sealed, boundTo: EventID(id))))
        }
    }

    func events(_ type: String) async throws -> Int { try await identity.events().count { $0.type == type } }
}
