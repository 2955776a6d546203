import Contracts
import Foundation
import Observability
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// An independent relying party and resource server: Debian's `libapache2-mod-auth-openidc` in an Apache of its own.
@Suite struct ApacheTests {
    private static let email = "apache@example.com"
    private static let bye = "/bye.txt"

    private let api: ProviderAPI
    private let apache: ApacheServer
    /// The same person's, before the provider and before Apache.
    private let person: TestBrowser
    private let visitor: TestBrowser
    private let user: UUID

    init() async throws {
        api = try await ProviderAPI.shared()
        let (issuer, port) = (api.environment["TOKEN_ISSUER"] ?? "", try FreePort.any())
        let origin = "http://127.0.0.1:\(port)"
        let secret = try await RegisterClient(pool: api.identity.pool, now: Timestamp.now)(
            OAuthClient(
                id: "apache", name: "Apache", isConfidential: true, redirectURIs: [origin + ApacheServer.callback],
                postLogoutRedirectURIs: [origin + Self.bye], grants: [.authorizationCode, .refreshToken],
                scopes: ["openid", "profile", "email", "offline_access", "wallet"]))
        apache = try await ApacheServer.start(
            port: port,
            as: ApacheServer.Registration(
                issuer: issuer, clientID: "apache", clientSecret: try #require(secret), resourceID: "machine",
                resourceSecret: try #require(api.secrets["machine"])))
        person = TestBrowser(port: api.port, origin: issuer)
        visitor = TestBrowser(port: port, origin: origin)
        user = try await api.identity.makeUser(Self.email)
        try await api.identity.give(
            CredentialFixture.password, to: user,
            by: PasswordHasher(cost: CredentialFixture.cost, threads: 1, waiting: 1, patience: .seconds(60)))
    }

    @Test func `mod_auth_openidc signs a person in, reads userinfo, refreshes, introspects, and signs out`() async throws {
        try await signIn()
        let first = try await session()
        let token = try await refresh(first)
        try await resourceServer(takes: token)
        try await signOut()
        #expect(try await resource(token).status == 401)
    }

    /// As a browser asks for a page: a script would get 401 from the module.
    private func open(_ target: String, _ browser: TestBrowser) async throws -> TestBrowser.Page {
        try await browser.get(target, ["accept": "text/html"])
    }

    private func follow(_ browser: TestBrowser, _ answer: TestBrowser.Page) async throws -> TestBrowser.Page {
        let (address, origin) = (try #require(answer.location, "\(answer) \(apache.log)"), browser.origin)
        guard address.hasPrefix("http") else { return try await open(address, browser) }
        try #require(address.hasPrefix(origin + "/"), "\(address) \(apache.log)")
        return try await open(String(address.dropFirst(origin.count)), browser)
    }

    private func form(_ page: TestBrowser.Page, _ typed: (String, String)...) throws -> [(String, String)] {
        try ["flow", "csrf"].map { ($0, try #require(page.field($0), "\(page)")) } + typed
    }

    /// Discovery, PKCE, state and nonce on the way there; code, ID token and userinfo on the way back.
    private func signIn() async throws {
        let sent = try await open(ApacheServer.page, visitor)
        #expect(sent.query["code_challenge_method"] == "S256" && sent.query["code_challenge"]?.count == 43, "\(sent)")
        #expect(sent.query["state"]?.isEmpty == false && sent.query["nonce"]?.isEmpty == false, "\(sent)")
        let page = try await follow(person, try await follow(person, sent))
        let consent = try await follow(
            person, try await person.post("/signin/password", try form(page, ("email", Self.email), ("password", CredentialFixture.password))))
        let granted = try await person.post("/signin/consent", try form(consent, ("decision", "allow")))
        #expect(granted.query["state"] == sent.query["state"] && granted.query["iss"] == person.origin, "\(granted)")
        let seen = try await follow(visitor, try await follow(visitor, granted))
        #expect(seen.status == 200 && seen.body == "for you\n", "\(seen) \(apache.log)")
        #expect(seen.values("seen-subject") == [UserID(user).description] && seen.values("seen-email") == [Self.email], "\(seen)")
        #expect(try await session()["id_token"]?["nonce"]?.stringValue == sent.query["nonce"])
    }

    /// What the module keeps of a signed-in person.
    private func session() async throws -> JSONValue {
        let page = try await open(ApacheServer.callback + "?info=json", visitor)
        let session = try JSONParser.parse(Array(page.body.utf8))
        #expect(session["id_token"]?["iss"]?.stringValue == person.origin && session["id_token"]?["aud"]?.stringValue == "apache", "\(page)")
        #expect(session["userinfo"]?["sub"]?.stringValue == UserID(user).description, "\(page)")
        return session
    }

    /// - Returns: The new access token.
    private func refresh(_ first: JSONValue) async throws -> String {
        let (old, page) = (try #require(first["access_token"]?.stringValue), TestBrowser.encoded(visitor.origin + ApacheServer.page))
        let answer = try await open("\(ApacheServer.callback)?refresh=\(page)&access_token=\(old)", visitor)
        #expect(answer.location == visitor.origin + ApacheServer.page, "\(answer) \(apache.log)")
        let second = try await session()
        #expect(second["refresh_token"]?.stringValue?.hasPrefix("frt_") == true && second["refresh_token"] != first["refresh_token"])
        let new = try #require(second["access_token"]?.stringValue)
        #expect(new != old)
        return new
    }

    private func resource(_ token: String?) async throws -> TestBrowser.Page {
        let stranger = TestBrowser(port: apache.port, origin: visitor.origin)
        return try await stranger.get(ApacheServer.resource, token.map { ["authorization": "Bearer \($0)"] } ?? [:])
    }

    private func resourceServer(takes token: String) async throws {
        let taken = try await resource(token)
        #expect(taken.status == 200 && taken.values("seen-subject") == [UserID(user).description], "\(taken) \(apache.log)")
        for other in [nil, "x", String(token.dropLast(4)) + "AAAA"] { #expect(try await resource(other).status == 401) }
        // Alive, and of a client that nobody gave this scope.
        let machine = try await api.token("grant_type=client_credentials", as: "machine").json["access_token"]
        #expect(try await resource(try #require(machine?.stringValue)).status == 401)
    }

    /// RP-initiated logout: the module revokes what it has and sends the browser with its ID token, and the provider asks nothing.
    private func signOut() async throws {
        let sent = try await open(ApacheServer.callback + "?logout=" + TestBrowser.encoded(visitor.origin + Self.bye), visitor)
        #expect(sent.query["id_token_hint"]?.isEmpty == false, "\(sent)")
        let done = try await follow(person, sent)
        #expect(done.status == 303 && done.location == visitor.origin + Self.bye, "\(done) \(apache.log)")
        #expect(person.cookies["__Host-florin-session"] == nil)
        #expect(try await open(ApacheServer.page, visitor).location?.hasPrefix(person.origin + "/oauth2/authorize?") == true)
    }
}
