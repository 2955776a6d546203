import Contracts
import Foundation
import Postgres
import StrictJSON
import Testing

@testable import Identity

/// The modules of `oidcc-basic-certification-test-plan`, by name.
@Suite("OpenID Connect Core: basic OP") struct OIDCCBasicTests {
    @Test("oidcc-server, oidcc-ensure-request-with-valid-pkce-succeeds, oidcc-idtoken-signature: the ID token of a code")
    func server() async throws {
        let fixture = try await ConformanceFixture.shared()
        let claims = try await fixture.idToken(try await fixture.signIn())
        #expect(claims["iss"]?.stringValue == SignInFixture.issuer && claims["aud"]?.stringValue == "oidcc" && claims["nonce"]?.stringValue == "n1")
        let (issued, expires) = (try #require(claims["iat"]?.integerValue), try #require(claims["exp"]?.integerValue))
        #expect(issued < expires && claims["sub"]?.stringValue?.hasPrefix("usr_") == true && claims["auth_time"]?.integerValue != nil)
    }

    @Test("oidcc-response-type-missing: an error by redirect")
    func responseType() async throws {
        let fixture = try await ConformanceFixture.shared()
        let answer = try await fixture.site.browser().get(fixture.request().replacing("response_type=code&", with: ""))
        #expect(answer.query["error"] == "invalid_request" && answer.query["state"] == "s1", "\(answer)")
    }

    @Test("oidcc-userinfo-get, oidcc-userinfo-post-header: the same person; oidcc-userinfo-post-body: not supported, and refused")
    func userInfo() async throws {
        let fixture = try await ConformanceFixture.shared()
        let body = try await fixture.redeem(try await fixture.signIn().code).json
        let (access, subject) = (body["access_token"]?.stringValue, try await fixture.claims(body["id_token"]?.stringValue)["sub"])
        for method in ["GET", "POST"] {
            let info = try await fixture.userInfo(access, method: method)
            #expect(info.status == 200 && info.json["sub"] == subject, "\(method)")
        }
        let inBody = try await fixture.site.browser().post("/oauth2/userinfo", [("access_token", access ?? "")])
        #expect(inBody.status == 400 || inBody.status == 401)
    }

    @Test("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
    func nonce() async throws {
        let fixture = try await ConformanceFixture.shared()
        #expect(try await fixture.idToken(try await fixture.signIn(""))["nonce"] == nil)
    }

    @Test(
        "scopes decide what userinfo says, in whatever order they come",
        arguments: [
            ("oidcc-scope-profile", "openid profile", ["sub", "name", "locale"]),
            ("oidcc-scope-email", "openid email", ["sub", "email", "email_verified"]),
            ("oidcc-scope-address", "openid address", ["sub"]), ("oidcc-scope-phone", "openid phone", ["sub"]),
            ("oidcc-scope-all", "openid profile email address phone", ["sub", "name", "locale", "email", "email_verified"]),
            ("oidcc-ensure-other-scope-order-succeeds", "email openid", ["sub", "email", "email_verified"]),
        ])
    func scopes(module: String, scope: String, members: [String]) async throws {
        let fixture = try await ConformanceFixture.shared()
        let body = try await fixture.redeem(try await fixture.signIn(scope: scope).code).json
        let info = try await fixture.userInfo(body["access_token"]?.stringValue)
        // A person need not have told a name.
        let optional = Set(members).subtracting(["name"])
        let told = Set((info.json.objectValue ?? []).map(\.name))
        #expect(optional.isSubset(of: told) && told.isSubset(of: members), "\(module): \(told)")
    }

    @Test(
        "what a request may say besides does not keep it from its code",
        arguments: [
            ("oidcc-display-page", "&display=page"), ("oidcc-display-popup", "&display=popup"), ("oidcc-login-hint", "&login_hint=ana%40example.com"),
            ("oidcc-ui-locales", "&ui_locales=se"), ("oidcc-claims-locales", "&claims_locales=se"),
            ("oidcc-ensure-request-with-acr-values-succeeds", "&acr_values=1+2"),
            ("oidcc-ensure-request-with-unknown-parameter-succeeds", "&extra=foobar"),
            ("oidcc-claims-essential", "&claims=%7B%22userinfo%22%3A%7B%22name%22%3A%7B%22essential%22%3Atrue%7D%7D%7D"),
        ])
    func parameters(module: String, more: String) async throws {
        let fixture = try await ConformanceFixture.shared()
        let who = try await fixture.signIn(more)
        #expect(try await fixture.redeem(who.code).status == 200, "\(module)")
    }

    @Test("oidcc-ensure-post-request-succeeds: an authorization request may be a form")
    func post() async throws {
        let fixture = try await ConformanceFixture.shared()
        let query = fixture.request().split(separator: "?")[1].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), (parts.count == 2 ? String(parts[1]) : "").removingPercentEncoding ?? "")
        }
        // It comes from the client's site.
        let answer = try await fixture.site.browser().post(
            "/oauth2/authorize", query, ["origin": "https://rp.example", "sec-fetch-site": "cross-site"])
        #expect(answer.status == 303 && answer.location?.hasPrefix("https://rp.example") == false, "\(answer)")
    }

    @Test(
        "request objects are refused by their name",
        arguments: [
            (
                "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", "&request=eyJhbGciOiJub25lIn0.e30.",
                "request_not_supported"
            ),
            ("oidcc-ensure-request-object-with-redirect-uri", "&request=eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
            ("oidcc-request-uri-unsigned", "&request_uri=https%3A%2F%2Frp.example%2Fr", "request_uri_not_supported"),
        ])
    func requestObjects(module: String, more: String, error: String) async throws {
        let fixture = try await ConformanceFixture.shared()
        #expect(try await fixture.site.browser().get(fixture.request(more)).query["error"] == error, "\(module)")
    }

    @Test("oidcc-ensure-registered-redirect-uri: a page, and no redirect")
    func redirectURI() async throws {
        let fixture = try await ConformanceFixture.shared()
        let foreign = fixture.request().replacing(TestBrowser.encoded(SignInFixture.redirectURI), with: "https%3A%2F%2Frp.example%2Fother")
        let answer = try await fixture.site.browser().get(foreign)
        #expect(answer.status == 400 && answer.location == nil, "\(answer)")
    }

    @Test("oidcc-server-client-secret-post: the secret may stand in the form")
    func secretPost() async throws {
        let fixture = try await ConformanceFixture.shared()
        let who = try await fixture.signIn()
        let page = try await fixture.site.browser().post(
            "/oauth2/token",
            [
                ("grant_type", "authorization_code"), ("code", who.code ?? ""), ("redirect_uri", SignInFixture.redirectURI),
                ("code_verifier", SignInFixture.verifier), ("client_id", "oidcc"), ("client_secret", fixture.secret),
            ])
        #expect(page.status == 200, "\(page)")
    }

    @Test("oidcc-codereuse, oidcc-codereuse-30seconds: a code is redeemed once, and what it gave is revoked")
    func codeReuse() async throws {
        let fixture = try await ConformanceFixture()
        let who = try await fixture.signIn(scope: "openid offline_access")
        let first = try await fixture.redeem(who.code).json
        fixture.site.clock.advance(by: .seconds(30))
        let again = try await fixture.redeem(who.code)
        #expect(again.status == 400 && again.json["error"]?.stringValue == "invalid_grant")
        let refreshed = try await fixture.token([("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"]?.stringValue ?? "")])
        #expect(refreshed.json["error"]?.stringValue == "invalid_grant")
    }

    @Test("oidcc-refresh-token: the same person and sign-in, a new token")
    func refresh() async throws {
        let fixture = try await ConformanceFixture.shared()
        let first = try await fixture.redeem(try await fixture.signIn(scope: "openid offline_access").code).json
        let second = try await fixture.token([("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"]?.stringValue ?? "")]).json
        let (old, new) = (
            try await fixture.claims(first["id_token"]?.stringValue), try await fixture.claims(second["id_token"]?.stringValue)
        )
        for name in ["iss", "sub", "aud", "auth_time"] { #expect(old[name] == new[name] && new[name] != nil, "\(name)") }
        #expect(second["access_token"] != first["access_token"])
    }

    @Test("oidcc-prompt-none-not-logged-in: login_required")
    func promptNone() async throws {
        let fixture = try await ConformanceFixture.shared()
        let browser = fixture.site.browser()
        #expect(try await browser.get(fixture.request("&prompt=none")).query["error"] == "login_required")
        #expect(browser.cookies.isEmpty)
    }

    @Test("oidcc-prompt-none-logged-in, oidcc-id-token-hint: a code without a page, for the same sign-in")
    func promptNoneSignedIn() async throws {
        let fixture = try await ConformanceFixture.shared()
        let who = try await fixture.signIn()
        let token = try await fixture.redeem(who.code).json["id_token"]?.stringValue ?? ""
        let first = try await fixture.claims(token)
        for hint in ["", "&id_token_hint=\(token)"] {
            let silent = try await who.browser.get(fixture.request("&prompt=none\(hint)"))
            let second = try await fixture.claims(try await fixture.redeem(silent.query["code"]).json["id_token"]?.stringValue)
            #expect(second["sub"] == first["sub"] && second["auth_time"] == first["auth_time"], "\(silent)")
        }
    }

    @Test("oidcc-prompt-login, oidcc-max-age-1: the person signs in again, and auth_time says so; oidcc-max-age-10000: not yet")
    func again() async throws {
        let fixture = try await ConformanceFixture()
        let who = try await fixture.signIn()
        let first = try #require(try await fixture.idToken(who)["auth_time"]?.integerValue)
        fixture.site.clock.advance(by: .seconds(2))
        let recent = try await who.browser.get(fixture.request("&max_age=10000"))
        let claims = try await fixture.claims(try await fixture.redeem(recent.query["code"]).json["id_token"]?.stringValue)
        #expect(claims["auth_time"]?.integerValue == first)
        for more in ["&prompt=login", "&max_age=1"] {
            fixture.site.clock.advance(by: .seconds(2))
            let page = try await fixture.site.open(who.browser, fixture.request(more))
            let answer = try await fixture.site.enter(who.browser, page, email: who.email)
            let time = try await fixture.claims(try await fixture.redeem(answer.query["code"]).json["id_token"]?.stringValue)["auth_time"]?
                .integerValue
            #expect(time == fixture.site.clock.seconds, "\(more)")
        }
    }
}
