import AccessTokens
import Contracts
import Crypto
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// The sign-in of first-party apps without a browser.
@Suite struct ChallengeTests {
    private typealias Answer = (status: Int, body: JSONValue, page: TestBrowser.Page)

    private struct App {
        let fixture: SignInFixture
        var client = "own-1"
        var device = BrowserSecret.random()

        /// The fields of a request that begins.
        var beginning: [(String, String)] {
            [
                ("response_type", "code"), ("scope", "openid offline_access wallet"), ("code_challenge_method", "S256"),
                ("code_challenge", Base64URL.encode(Array(SHA256.hash(data: Array(SignInFixture.verifier.utf8))))),
            ]
        }

        func send(_ fields: [(String, String)]) async throws -> Answer {
            let page = try await fixture.browser().post(
                "/oauth2/authorize-challenge", [("client_id", client), ("device_secret", device.text)] + fields, ["origin": "", "sec-fetch-site": ""])
            return (page.status, (try? JSONParser.parse(Array(page.body.utf8))) ?? .null, page)
        }

        func signIn(_ email: String, password: String = SignInFixture.password) async throws -> Answer {
            try await send(beginning + [("username", email), ("password", password)])
        }
    }

    @Test func `ID-32: password, then the code, then an authorization code that needs the verifier and no redirect URI`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let app = App(fixture: fixture)
        let first = try await app.send(app.beginning)
        #expect(first.status == 400 && first.body["error"]?.stringValue == "insufficient_authorization", "\(first.page)")
        let one = try #require(first.body["auth_session"]?.stringValue)
        let second = try await app.send([("auth_session", one), ("username", "ana@example.com"), ("password", SignInFixture.password)])
        #expect(second.status == 400 && second.body["error"]?.stringValue == "insufficient_authorization")
        let two = try #require(second.body["auth_session"]?.stringValue)
        #expect(one != two)
        let third = try await app.send([("auth_session", two), ("otp", fixture.credentials.code(totp))])
        #expect(third.status == 200 && third.page.values("cache-control") == ["no-store"], "\(third.page)")
        let code = try #require(third.body["authorization_code"]?.stringValue)
        #expect(try await fixture.tokens(code, client: "rp-1", redirectURI: nil)["error"]?.stringValue == "invalid_grant")
        let tokens = try await fixture.tokens(code, redirectURI: nil)
        let claims = try ProviderFixture.parts(try #require(tokens["id_token"]?.stringValue)).claims
        #expect(claims["acr"]?.stringValue == Authentication.multiFactor && claims["sub"]?.stringValue == UserID(user).description)
        #expect(try await fixture.identity.count("sessions", where: "client_id = 'own-1' AND cookie_hash IS NULL") == 1)
        // What was used is used.
        for spent in [one, two] {
            #expect(try await app.send([("auth_session", spent), ("otp", "000000")]).body["error"]?.stringValue == "invalid_session")
        }
    }

    @Test func `ID-05, ID-32: the password alone of a user with a second factor gives no code, and a wrong one tells nothing`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        _ = try await fixture.credentials.enrol(user)
        let app = App(fixture: fixture)
        #expect(try await app.signIn("ana@example.com").body["error"]?.stringValue == "insufficient_authorization")
        let wrong = try await app.signIn("ana@example.com", password: "wrong horse battery")
        let unknown = try await app.signIn("nobody@example.com")
        for answer in [wrong, unknown] {
            #expect(answer.status == 400 && answer.body["error"]?.stringValue == "access_denied", "\(answer.page)")
            #expect(answer.body["auth_session"] != nil)
        }
        #expect(try await fixture.identity.count("sessions") == 0)
        #expect(try await fixture.identity.count("authorization_codes") == 0)
    }

    @Test func `ID-32: an auth_session is worth nothing to another app, on another device, used, or after ten minutes`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let other = OAuthClient(
            id: "own-2", name: "Other", isConfidential: false, isFirstParty: true, grants: [.authorizationCode], scopes: ["openid", "wallet"])
        _ = try await RegisterClient(pool: fixture.identity.pool, now: { fixture.clock.now })(other)
        let app = App(fixture: fixture)
        let session = try #require(try await app.signIn("ana@example.com").body["auth_session"]?.stringValue)
        let step = [("auth_session", session), ("otp", fixture.credentials.code(totp))]
        #expect(try await App(fixture: fixture, client: "own-2", device: app.device).send(step).body["error"]?.stringValue == "invalid_session")
        #expect(try await App(fixture: fixture).send(step).body["error"]?.stringValue == "invalid_session")
        let late = try #require(try await app.signIn("ana@example.com").body["auth_session"]?.stringValue)
        fixture.clock.advance(by: .seconds(SignInFlow.lifeSeconds))
        let expired = try await app.send([("auth_session", late), ("otp", fixture.credentials.code(totp))])
        #expect(expired.body["error"]?.stringValue == "invalid_session")
    }

    @Test func `of equal requests at once one gets the code, and the others cost no attempt`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let app = App(fixture: fixture)
        let session = try #require(try await app.signIn("ana@example.com").body["auth_session"]?.stringValue)
        let step = [("auth_session", session), ("otp", fixture.credentials.code(totp))]
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<8 { group.addTask { try await app.send(step) } }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        #expect(answers.count { $0.status == 200 } == 1, "\(answers.map(\.page))")
        #expect(answers.count { $0.body["error"]?.stringValue == "invalid_session" } == 7, "\(answers.map(\.page))")
        #expect(try await fixture.identity.count("attempts", where: "kind = 'otp'") == 0)
    }

    @Test func `ID-06: wrong passwords at the app's door and at the page's fill one counter: the sixth is 429`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let app = App(fixture: fixture)
        for _ in 0..<3 { _ = try await app.signIn("ana@example.com", password: "wrong horse battery") }
        let browser = fixture.browser()
        let page = try await fixture.open(browser)
        for _ in 0..<2 { _ = try await fixture.enter(browser, page, email: "ana@example.com", password: "wrong horse battery") }
        let blocked = try await app.signIn("ana@example.com")
        #expect(blocked.status == 429 && blocked.page.values("retry-after") == ["30"], "\(blocked.page)")
        #expect(try await fixture.enter(browser, page, email: "ana@example.com").status == 429)
    }

    @Test func `the fifth wrong code ends an auth_session`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        _ = try await fixture.credentials.enrol(user)
        let app = App(fixture: fixture)
        var session = try await app.signIn("ana@example.com").body["auth_session"]?.stringValue
        for attempt in 1...5 {
            let answer = try await app.send([("auth_session", session ?? ""), ("otp", "000000")])
            #expect(answer.body["error"]?.stringValue == "access_denied", "\(attempt) \(answer.page)")
            session = answer.body["auth_session"]?.stringValue
            #expect((session == nil) == (attempt == 5))
        }
    }

    @Test func `ID-32: other clients, missing PKCE and a missing device are refused; consent and disabled accounts go to the web`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let app = App(fixture: fixture)
        #expect(try await App(fixture: fixture, client: "rp-1").signIn("ana@example.com").body["error"]?.stringValue == "unauthorized_client")
        #expect(try await app.send([("response_type", "code"), ("scope", "openid")]).body["error"]?.stringValue == "invalid_request")
        let nameless = try await fixture.browser().post("/oauth2/authorize-challenge", [("client_id", "own-1")] + app.beginning)
        #expect(nameless.status == 400 && nameless.body.contains("invalid_request"))
        #expect(try await fixture.browser().post("/oauth2/authorize-challenge", [("client_id", "nobody")] + app.beginning).status == 401)
        #expect(try await app.send(app.beginning + [("prompt", "consent")]).body["error"]?.stringValue == "redirect_to_web")
        try await fixture.identity.execute("UPDATE users SET status = 'disabled' WHERE id = \(user)")
        #expect(try await app.signIn("ana@example.com").body["error"]?.stringValue == "redirect_to_web")
    }

    @Test func `an app has one session on a device: the new one takes the place of the one before, with its refresh family`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let app = App(fixture: fixture)
        for _ in 0..<2 {
            let code = try await app.signIn("ana@example.com").body["authorization_code"]?.stringValue
            #expect(try await fixture.tokens(code, redirectURI: nil)["refresh_token"] != nil)
        }
        #expect(try await App(fixture: fixture).signIn("ana@example.com").status == 200)
        #expect(try await fixture.identity.count("sessions", where: "ended_at IS NULL") == 2)
        #expect(try await fixture.identity.count("sessions", where: "end_reason = 'replaced'") == 1)
        #expect(try await fixture.identity.count("refresh_families", where: "revoked_at IS NULL") == 1)
    }

    @Test func `ID-25: while an app's client is disabled, its access tokens count for nothing at the account`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let code = try await App(fixture: fixture).signIn("ana@example.com").body["authorization_code"]?.stringValue
        let token = try #require(try await fixture.tokens(code, redirectURI: nil)["access_token"]?.stringValue)
        let sessions = { try await fixture.send("GET", "/v1/me/sessions", nil, token: token).status }
        #expect(try await sessions() == 200)
        try await fixture.identity.execute("UPDATE clients SET disabled_at = now() WHERE id = 'own-1'")
        #expect(try await sessions() == 401)
        try await fixture.identity.execute("UPDATE clients SET disabled_at = NULL WHERE id = 'own-1'")
        #expect(try await sessions() == 200)
    }
}
