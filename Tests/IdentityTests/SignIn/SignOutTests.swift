import Contracts
import Foundation
import Postgres
import StrictJSON
import Testing

@testable import Identity

/// RP-initiated logout.
@Suite struct SignOutTests {
    private static let returnURL = "https://rp.example/bye"

    /// A browser that somebody has signed in with, and the ID token that its client got.
    private func signedIn(_ fixture: SignInFixture, _ email: String) async throws -> (browser: TestBrowser, idToken: String) {
        let browser = fixture.browser()
        let answer = try await fixture.signIn(browser, email)
        return (browser, try #require(try await fixture.tokens(answer.query["code"])["id_token"]?.stringValue))
    }

    private func logout(_ hint: String?, _ more: String = "") -> String {
        "/oauth2/logout?post_logout_redirect_uri=\(TestBrowser.encoded(Self.returnURL))&state=a%2Bb%26" + (hint.map { "&id_token_hint=\($0)" } ?? "")
            + more
    }

    private func openSessions(_ fixture: SignInFixture) async throws -> Int64 {
        try await fixture.identity.count("sessions", where: "ended_at IS NULL")
    }

    @Test func `ID-28: a client's own hint ends the session, its refresh family and its cookie, and leads back with state`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let answer = try await fixture.signIn(browser, "ana@example.com", SignInFixture.authorize(scope: "openid offline_access wallet"))
        let tokens = try await fixture.tokens(answer.query["code"])
        let (hint, refresh) = (try #require(tokens["id_token"]?.stringValue), try #require(tokens["refresh_token"]?.stringValue))
        let left = try await browser.get(logout(hint))
        #expect(left.status == 303 && left.location == "\(Self.returnURL)?state=a%2Bb%26", "\(left)")
        #expect(browser.cookies["__Host-florin-session"] == nil)
        #expect(try await fixture.identity.count("sessions", where: "end_reason = 'signed_out'") == 1)
        #expect(try await fixture.events("identity.session.revoked.v1") == 1)
        let refused = try await fixture.browser().post(
            "/oauth2/token", [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "own-1")])
        #expect(refused.body.contains("invalid_grant"), "\(refused)")
        // Signed out already is a success.
        #expect(try await browser.get(logout(hint)).location == left.location)
        #expect(try await fixture.events("identity.session.revoked.v1") == 1)
    }

    @Test func `ID-28: a hint that expired a month ago, or whose key is retired and kept, still works`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let (browser, hint) = try await signedIn(fixture, "ana@example.com")
        try await fixture.identity.execute(
            "UPDATE sessions SET expires_at = expires_at + interval '90 days', unused_seconds = NULL")
        fixture.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await browser.get(logout(hint)).location?.hasPrefix(Self.returnURL) == true)
        #expect(try await openSessions(fixture) == 0)
    }

    @Test func `ID-28: another's hint, none, or a forged one asks; only the page's own form then signs out`() async throws {
        let fixture = try await SignInFixture()
        for name in ["ana", "bob"] { _ = try await fixture.credentials.makeUser("\(name)@example.com") }
        let (_, anas) = try await signedIn(fixture, "ana@example.com")
        let (browser, bobs) = try await signedIn(fixture, "bob@example.com")
        let forged = bobs.dropLast(8) + "AAAAAAAA"
        for hint in [anas, nil, String(forged), "x"] {
            let page = try await browser.get(logout(hint, "&client_id=own-1"))
            #expect(page.status == 200 && page.body.contains("bob@example.com"), "\(page)")
            #expect(page.values("set-cookie") == [])
        }
        #expect(try await openSessions(fixture) == 2)
        let page = try await browser.get(logout(nil, "&client_id=own-1"))
        let action = try #require(page.body.firstMatch(of: /action="(\/signout[^"]*)"/)).1.replacingOccurrences(of: "&amp;", with: "&")
        for token in ["", "x"] { #expect(try await browser.post(action, [("csrf", token)]).status == 200) }
        #expect(try await browser.post(action, [("csrf", try #require(page.field("csrf")))], ["origin": "https://evil.example"]).status == 403)
        #expect(try await openSessions(fixture) == 2)
        let left = try await browser.post(action, [("csrf", try #require(page.field("csrf")))])
        #expect(left.location == "\(Self.returnURL)?state=a%2Bb%26", "\(left)")
        #expect(try await openSessions(fixture) == 1)
    }

    @Test func `ID-28: an address that the client has not registered is not followed, signed out or not`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let (browser, hint) = try await signedIn(fixture, "ana@example.com")
        for address in ["https://evil.example/", "https://rp.example/bye/", "HTTPS://rp.example/bye", "https://rp.example/bye?x"] {
            let page = try await browser.get("/oauth2/logout?id_token_hint=\(hint)&post_logout_redirect_uri=\(TestBrowser.encoded(address))")
            #expect(page.status == 200 && page.location == nil && !page.body.contains("evil.example"), "\(page)")
        }
        #expect(try await openSessions(fixture) == 0)
        let post = try await browser.post("/oauth2/logout", [("state", "a+b")], ["origin": "https://rp.example", "sec-fetch-site": "cross-site"])
        #expect(post.status == 303 && post.location == "/oauth2/logout?state=a%2Bb")
    }
}
