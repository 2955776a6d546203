import Contracts
import Foundation
import Postgres
import StrictJSON
import Testing

@testable import Identity

/// What authorization requests ask of a browser that is signed in, or is not.
@Suite struct AuthorizationTests {
    /// A browser that somebody has signed in with.
    private func signedIn(_ fixture: SignInFixture, _ email: String = "ana@example.com") async throws -> TestBrowser {
        let browser = fixture.browser()
        #expect(try await fixture.signIn(browser, email).query["code"] != nil)
        return browser
    }

    @Test func `ID-19: state comes back as it went, through password, second factor and consent, and with errors`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let (state, decoded) = ("a%2Bb%3D%3D%26c%20d%25%E2%9C%93", "a+b==&c d%✓")
        let browser = fixture.browser()
        let asked = SignInFixture.authorize("rp-1", state: state)
        let code = try await fixture.follow(browser, try await fixture.signIn(browser, "ana@example.com", asked))
        let consent = try await fixture.follow(browser, try await fixture.enterCode(browser, code, fixture.credentials.code(totp)))
        #expect(consent.body.contains("Relying party") && consent.body.contains("ana@example.com"))
        let answer = try await fixture.decide(browser, consent, "allow")
        #expect(answer.query["state"] == decoded && answer.query["iss"] == SignInFixture.issuer && answer.query["code"] != nil, "\(answer)")
        let silent = try await fixture.browser().get(SignInFixture.authorize("rp-1", state: state, "&prompt=none"))
        #expect(silent.query["error"] == "login_required" && silent.query["state"] == decoded && silent.query["iss"] == SignInFixture.issuer)
    }

    @Test func `a consent is asked for once, again for more, always when the client wants it, and a refusal is told`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let asked = SignInFixture.authorize("rp-1", scope: "openid")
        let first = try await fixture.follow(browser, try await fixture.signIn(browser, "ana@example.com", asked))
        #expect(try await fixture.identity.count("sessions") == 0, "nobody is signed in before the end")
        let denied = try await fixture.decide(browser, first, "deny")
        #expect(denied.query["error"] == "access_denied" && denied.query["state"] == "s1" && denied.query["code"] == nil, "\(denied)")
        #expect(try await fixture.decide(browser, first, "allow").location == denied.location, "a second click gets the same")
        let second = try await fixture.follow(browser, try await fixture.signIn(browser, "ana@example.com", asked))
        #expect(try await fixture.redeem(try await fixture.decide(browser, second, "allow"), client: "rp-1")["aud"]?.stringValue == "rp-1")
        #expect(try await browser.get(SignInFixture.authorize("rp-1", scope: "openid")).query["code"] != nil)
        #expect(try await browser.get(SignInFixture.authorize("rp-1", scope: "openid wallet", "&prompt=none")).query["error"] == "consent_required")
        let more = try await fixture.open(browser, SignInFixture.authorize("rp-1", scope: "openid wallet"))
        #expect(more.body.contains("wallet") && more.field("flow") != nil)
        #expect(try await fixture.open(browser, asked + "&prompt=consent").body.contains("decision"))
    }

    @Test func `ID-21: max_age=0 and prompt=login ask who signed in just now, once, and auth_time is newer than the request`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = try await signedIn(fixture)
        let session = try await fixture.identity.query("SELECT id FROM sessions") { try $0.decode(UUID.self) }
        for asked in ["&max_age=0", "&prompt=login", "&max_age=0&prompt=login", "&prompt=select_account"] {
            fixture.clock.advance(by: .seconds(10))
            let page = try await fixture.open(browser, SignInFixture.authorize("own-1", asked))
            #expect(page.body.contains("ana@example.com"))
            // Reloaded, it still asks; there is no loop after the password.
            #expect(try await browser.get("/signin?flow=\(try #require(page.field("flow")))").status == 200)
            let claims = try await fixture.redeem(try await fixture.enter(browser, page, email: "ana@example.com"))
            #expect(claims["auth_time"]?.integerValue == fixture.clock.seconds, "\(asked) \(claims)")
        }
        #expect(try await fixture.identity.query("SELECT id FROM sessions") { try $0.decode(UUID.self) } == session)
    }

    @Test func `ID-21: max_age is judged when the flow is authenticated, so that a slow consent still gets a code`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let asked = SignInFixture.authorize("rp-1", "&max_age=1")
        let consent = try await fixture.follow(browser, try await fixture.signIn(browser, "ana@example.com", asked))
        fixture.clock.advance(by: .seconds(3))
        #expect(try await fixture.decide(browser, consent, "allow").query["code"] != nil)
        #expect(try await browser.get(SignInFixture.authorize("rp-1", "&max_age=1&prompt=none")).query["error"] == "login_required")
        #expect(try await browser.get(SignInFixture.authorize("rp-1", "&max_age=3&prompt=none")).query["code"] != nil)
        for invalid in ["-1", "1.5", "abc"] {
            #expect(try await browser.get(SignInFixture.authorize("rp-1", "&max_age=\(invalid)")).query["error"] == "invalid_request")
        }
    }

    @Test func `ID-22: prompt=none shows no page and sets no cookie; a wrong address gets a page and no redirect`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let stranger = fixture.browser()
        let silent = try await stranger.get(SignInFixture.authorize("own-1", "&prompt=none"))
        #expect(silent.status == 303 && silent.query["error"] == "login_required" && silent.values("set-cookie") == [])
        #expect(try await fixture.identity.count("sign_in_flows") == 0)
        for wrong in ["https://rp.example/cb/", "https://rp.example@evil/cb", "HTTPS://rp.example/cb", "https://rp.example/cb?x=1"] {
            let target = SignInFixture.authorize("own-1", "&prompt=none").replacingOccurrences(
                of: TestBrowser.encoded(SignInFixture.redirectURI), with: TestBrowser.encoded(wrong))
            let page = try await stranger.get(target)
            #expect(page.status == 400 && page.location == nil && page.body.contains("</html>"), "\(wrong) \(page)")
        }
        #expect(try await stranger.get(SignInFixture.authorize("own-1", "&prompt=none%20login")).query["error"] == "invalid_request")
        #expect(try await stranger.get(SignInFixture.authorize("own-1", "&prompt=maybe")).query["error"] == "invalid_request")
        let browser = try await signedIn(fixture)
        let known = try await browser.get(SignInFixture.authorize("own-1", state: "s9", "&prompt=none"))
        #expect(known.query["code"] != nil && known.query["state"] == "s9" && known.values("set-cookie") == [])
        #expect(try await fixture.events("identity.session.started.v1") == 1)
    }

    @Test func `RFC 9470: a client that needs two factors gets them or is told that they can't be had`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let browser = try await signedIn(fixture)
        let asked = SignInFixture.authorize("own-1", "&acr_values=urn%3Aflorin%3Aacr%3Amfa")
        #expect(try await browser.get(asked).query["error"] == "unmet_authentication_requirements")
        let fresh = fixture.browser()
        #expect(try await fixture.signIn(fresh, "ana@example.com", asked).query["error"] == "unmet_authentication_requirements")
        #expect(fresh.cookies["__Host-florin-session"] == nil)
        let totp = try await fixture.credentials.enrol(user)
        // The session is of the password alone: only the code is asked for, and nothing is given without it.
        #expect(try await browser.get(SignInFixture.authorize("own-1", "&prompt=none")).query["error"] == "login_required")
        let page = try await fixture.open(browser, asked)
        #expect(page.body.contains("one-time-code"), "\(page)")
        let claims = try await fixture.redeem(try await fixture.enterCode(browser, page, fixture.credentials.code(totp)))
        #expect(claims["acr"]?.stringValue == Authentication.multiFactor)
        #expect(try await browser.get(SignInFixture.authorize("own-1", "&prompt=none&acr_values=urn%3Aflorin%3Aacr%3Amfa")).query["code"] != nil)
        #expect(try await fixture.identity.count("sessions") == 1)
    }

    @Test func `ID-25: a change of the account while a browser stands at the code or at consent gets it a new beginning`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let browser = fixture.browser()
        let page = try await fixture.follow(browser, try await fixture.signIn(browser, "ana@example.com"))
        try await fixture.identity.execute("UPDATE users SET credential_generation = 2 WHERE id = \(user)")
        let changed = try await fixture.enterCode(browser, page, fixture.credentials.code(totp))
        #expect(changed.location?.hasPrefix("/signin?flow=") == true && changed.location?.contains(page.field("flow") ?? "-") == false, "\(changed)")
        #expect(try await fixture.identity.count("sessions") == 0)
        try await fixture.identity.execute("UPDATE users SET status = 'disabled' WHERE id = \(user)")
        let again = try await fixture.follow(browser, changed)
        let disabled = try await fixture.enter(browser, again, email: "ana@example.com")
        #expect(disabled.status == 403 && disabled.body.contains("</html>"), "\(disabled)")
    }

    @Test func `a flow that relies on a session ends with it`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let browser = try await signedIn(fixture)
        let consent = try await fixture.open(browser, SignInFixture.authorize("rp-1"))
        let now = fixture.clock.now
        try await fixture.identity.pool.withTransaction { session in
            _ = try SessionStore().endAll(of: user, except: nil, reason: .signedOut, at: now, session)
        }
        let answer = try await fixture.decide(browser, consent, "allow")
        #expect(answer.query["code"] == nil && answer.location?.hasPrefix("/signin?flow=") == true, "\(answer)")
        #expect(try await fixture.identity.count("sessions", where: "ended_at IS NULL") == 0)
    }

    @Test func `an id_token_hint of somebody else asks that person to sign in, and does not go round in circles`() async throws {
        let fixture = try await SignInFixture()
        for name in ["ana", "bob"] { _ = try await fixture.credentials.makeUser("\(name)@example.com") }
        let anas = try await fixture.signIn(fixture.browser(), "ana@example.com")
        let hint = try #require(try await fixture.tokens(anas.query["code"])["id_token"]?.stringValue)
        let browser = try await signedIn(fixture, "bob@example.com")
        let asked = SignInFixture.authorize("own-1", "&id_token_hint=\(hint)")
        #expect(try await browser.get(asked + "&prompt=none").query["error"] == "login_required")
        let page = try await fixture.open(browser, asked)
        #expect(page.status == 200 && page.field("flow") != nil, "\(page)")
        // Nobody else gets a code for what was asked of ana.
        let other = try await fixture.enter(browser, page, email: "bob@example.com")
        #expect(other.query["error"] == "login_required" && other.query["code"] == nil, "\(other)")
        #expect(try await fixture.enter(browser, page, email: "ana@example.com").query["code"] != nil)
        #expect(try await browser.get(asked + "&prompt=none").query["code"] != nil)
    }

    @Test func `POST is led to GET, for which a browser brings its cookies, with every parameter as it was`() async throws {
        let fixture = try await SignInFixture()
        let parameters = [("response_type", "code"), ("client_id", "own-1"), ("state", "a+b &✓"), ("scope", "openid wallet")]
        let answer = try await fixture.browser().post(
            "/oauth2/authorize", parameters, ["origin": "https://rp.example", "sec-fetch-site": "cross-site"])
        #expect(answer.status == 303 && answer.location?.hasPrefix("/oauth2/authorize?") == true && answer.query["state"] == "a+b &✓", "\(answer)")
    }

    @Test func `ID-20: unknown parameters are ignored and empty ones are absent, repeated ones are refused`() async throws {
        let fixture = try await SignInFixture()
        let browser = fixture.browser()
        _ = try await fixture.open(browser, SignInFixture.authorize("own-1", "&foo=bar&nonce="))
        #expect(try await browser.get(SignInFixture.authorize("own-1", "&scope=openid")).query["error"] == "invalid_request")
        let page = try await browser.get(SignInFixture.authorize("own-1", "&client_id=c2"))
        #expect(page.status == 400 && page.location == nil)
    }

    @Test(arguments: ["%00", "a%00b", "OWN-1", "usr_1", "%EF%BF%BE"])
    func `ID-20: what no client can be called is an unknown client, at sign-in and at sign-out`(id: String) async throws {
        let fixture = try await SignInFixture()
        let page = try await fixture.browser().get("/oauth2/authorize?response_type=code&client_id=\(id)")
        #expect(page.status == 400 && page.location == nil && page.body.contains("</html>"), "\(page)")
        let signedOut = try await fixture.browser().get("/oauth2/logout?client_id=\(id)&post_logout_redirect_uri=https://rp.example/bye")
        #expect(signedOut.status == 200 && signedOut.location == nil, "\(signedOut)")
    }
}
