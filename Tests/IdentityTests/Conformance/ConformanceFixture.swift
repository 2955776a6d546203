import AccessTokens
import Contracts
import Foundation
import Postgres
import StrictJSON
import Testing

@testable import Identity

/// What the modules of the OpenID Foundation's conformance suite do: a relying party with a secret, and a person who signs in for it.
///
/// The suite itself needs Java and a browser farm; its modules are re-created here by name.
struct ConformanceFixture {
    /// For modules that leave the clock alone.
    private static let common = Task { try await ConformanceFixture() }

    static func shared() async throws -> ConformanceFixture { try await common.value }

    let site: SignInFixture
    let secret: String

    init() async throws {
        site = try await SignInFixture()
        let clock = site.clock
        let client = OAuthClient(
            id: "oidcc", name: "Conformance", isConfidential: true, isFirstParty: true, redirectURIs: [SignInFixture.redirectURI],
            postLogoutRedirectURIs: ["https://rp.example/bye", "https://rp.example/bye?a=b"], grants: [.authorizationCode, .refreshToken],
            scopes: ["openid", "profile", "email", "offline_access"])
        secret = try #require(try await RegisterClient(pool: site.identity.pool, now: { clock.now })(client))
    }

    /// A person of their own who has signed in for a request, their browser, and where it was sent.
    struct SignedIn {
        let browser: TestBrowser
        let email: String
        let answer: TestBrowser.Page
        var code: String? { answer.query["code"] }
    }

    func request(_ more: String = "", scope: String = "openid") -> String { SignInFixture.authorize("oidcc", state: "s1", scope: scope, more) }

    func signIn(_ more: String = "&nonce=n1", scope: String = "openid") async throws -> SignedIn {
        let email = "\(UUID().uuidString.lowercased())@example.com"
        _ = try await site.credentials.makeUser(email)
        let browser = site.browser()
        let answer = try await site.signIn(browser, email, request(more, scope: scope))
        #expect(answer.query["state"] == "s1" && answer.query["iss"] == SignInFixture.issuer, "\(answer)")
        return SignedIn(browser: browser, email: email, answer: answer)
    }

    /// The answer of the token endpoint, authenticated by HTTP Basic.
    func token(_ form: [(String, String)]) async throws -> (status: Int, json: JSONValue) {
        let basic = Data("oidcc:\(secret)".utf8).base64EncodedString()
        let page = try await site.browser().post("/oauth2/token", form, ["authorization": "Basic \(basic)"])
        return (page.status, (try? JSONParser.parse(Array(page.body.utf8))) ?? .null)
    }

    func redeem(_ code: String?) async throws -> (status: Int, json: JSONValue) {
        try await token([
            ("grant_type", "authorization_code"), ("code", code ?? ""), ("redirect_uri", SignInFixture.redirectURI),
            ("code_verifier", SignInFixture.verifier),
        ])
    }

    /// What the ID token says; its signature is checked with the key set, as a relying party does.
    func claims(_ token: String?) async throws -> JSONValue {
        let token = try #require(token)
        let hint = site.provider.readHint(token)
        #expect(hint?.client == "oidcc")
        let (header, claims) = try ProviderFixture.parts(token)
        #expect(header["alg"]?.stringValue == "ES256" && site.provider.keys.document.keys.contains { $0.keyID == header["kid"]?.stringValue })
        return claims
    }

    func idToken(_ who: SignedIn) async throws -> JSONValue { try await claims(try await redeem(who.code).json["id_token"]?.stringValue) }

    func userInfo(_ token: String?, method: String = "GET") async throws -> (status: Int, json: JSONValue) {
        let fields = ["authorization": "Bearer \(token ?? "")"]
        let page =
            try await method == "GET" ? site.browser().get("/oauth2/userinfo", fields) : site.browser().post("/oauth2/userinfo", [], fields)
        return (page.status, (try? JSONParser.parse(Array(page.body.utf8))) ?? .null)
    }
}
