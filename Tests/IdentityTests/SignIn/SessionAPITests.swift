import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// `/v1/me/sessions` and `/v1/me/devices`, with tokens that the service issued itself: `ManageSessions`.
@Suite struct SessionAPITests {
    /// A browser in which somebody signs in, and the access token that its client gets.
    private func token(_ fixture: SignInFixture, _ email: String = "ana@example.com", _ browser: TestBrowser? = nil) async throws -> String {
        let answer = try await fixture.signIn(browser ?? fixture.browser(), email)
        return try #require(try await fixture.tokens(answer.query["code"])["access_token"]?.stringValue)
    }

    private func items(_ answer: SignedAnswer) throws -> [JSONValue] {
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(answer.json["data"]?.arrayValue)
    }

    private func check(
        _ fixture: SignInFixture, _ method: String, _ target: String, _ token: String?, body: String? = nil
    ) async throws -> SignedAnswer {
        let answer = try await fixture.send(method, target, body, token: token)
        let call = SignedCall(method, target, body, as: Party(caller: "mobile-bff", token: token))
        if answer.status != 204 {
            let faults = fixture.faults(of: answer, to: call)
            #expect(faults.isEmpty, "\(faults)")
        }
        return answer
    }

    @Test func `a person sees where they are signed in: device, program, last use, and which of them it is`() async throws {
        let fixture = try await SignInFixture()
        for name in ["ana", "bob"] { _ = try await fixture.credentials.makeUser("\(name)@example.com") }
        let first = try await token(fixture)
        _ = try await token(fixture, "bob@example.com")
        fixture.clock.advance(by: .seconds(30))
        let second = try await token(fixture)
        let listed = try items(try await check(fixture, "GET", "/v1/me/sessions", second))
        #expect(listed.count == 2)
        #expect(listed.map { $0["current"]?.boolValue } == [true, false])
        #expect(listed.allSatisfy { $0["device_name"]?.stringValue == "Firefox on Linux" && $0["app"]?.stringValue == "Firefox on Linux" })
        #expect(listed[0]["last_used_at"]?.stringValue == fixture.clock.now.description)
        let devices = try items(try await check(fixture, "GET", "/v1/me/devices", first))
        #expect(devices.map { $0["sessions"]?.integerValue } == [1, 1])
        #expect(devices.count { $0["current"]?.boolValue == true } == 1)
    }

    @Test func `one session is ended by its id, and its access token counts for nothing at the account`() async throws {
        let fixture = try await SignInFixture()
        for name in ["ana", "bob"] { _ = try await fixture.credentials.makeUser("\(name)@example.com") }
        let (kept, lost, stranger) = (try await token(fixture), try await token(fixture), try await token(fixture, "bob@example.com"))
        let listed = try items(try await check(fixture, "GET", "/v1/me/sessions", lost))
        let id = try #require(listed.first { $0["current"]?.boolValue == true }?["id"]?.stringValue)
        #expect(try await check(fixture, "DELETE", "/v1/me/sessions/\(id)", stranger).status == 404)
        #expect(try await check(fixture, "DELETE", "/v1/me/sessions/\(id)", kept).status == 204)
        #expect(try await check(fixture, "DELETE", "/v1/me/sessions/\(id)", kept).status == 404)
        #expect(try await check(fixture, "GET", "/v1/me/sessions", lost).code == "token_invalid")
        #expect(try items(try await check(fixture, "GET", "/v1/me/sessions", kept)).count == 1)
        #expect(try await fixture.identity.events().filter { $0.type == "identity.session.revoked.v1" }.map(\.subject) == [id])
    }

    @Test func `all other sessions are ended at once, whatever was about to become one included`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let (browser, other) = (fixture.browser(), fixture.browser())
        let (kept, lost) = (try await token(fixture, "ana@example.com", browser), try await token(fixture, "ana@example.com", other))
        // A code that was issued before, to a session that is to end.
        let early = try await other.get(SignInFixture.authorize("own-1", "&prompt=none"))
        #expect(try await check(fixture, "DELETE", "/v1/me/sessions", kept).status == 204)
        #expect(try await fixture.tokens(early.query["code"])["error"]?.stringValue == "invalid_grant")
        #expect(try await check(fixture, "GET", "/v1/me/sessions", lost).code == "token_invalid")
        #expect(try items(try await check(fixture, "GET", "/v1/me/sessions", kept)).map { $0["current"]?.boolValue } == [true])
        #expect(try await browser.get(SignInFixture.authorize("own-1", "&prompt=none")).query["code"] != nil)
        #expect(try await other.get(SignInFixture.authorize("own-1", "&prompt=none")).query["error"] == "login_required")
        #expect(try await fixture.identity.count("users", where: "credential_generation = 2") == 1)
    }

    @Test func `a device is renamed, and removed with its sessions; another's is not found`() async throws {
        let fixture = try await SignInFixture()
        for name in ["ana", "bob"] { _ = try await fixture.credentials.makeUser("\(name)@example.com") }
        let (browser, phone) = (fixture.browser(), fixture.browser())
        let (kept, lost) = (try await token(fixture, "ana@example.com", browser), try await token(fixture, "ana@example.com", phone))
        let stranger = try await token(fixture, "bob@example.com")
        let devices = try items(try await check(fixture, "GET", "/v1/me/devices", lost))
        let id = try #require(devices.first { $0["current"]?.boolValue == true }?["id"]?.stringValue)
        let renamed = try await check(fixture, "PATCH", "/v1/me/devices/\(id)", kept, body: #"{"name":"Küche"}"#)
        #expect(renamed.json["name"]?.stringValue == "Küche" && renamed.json["current"]?.boolValue == false, "\(renamed.text)")
        #expect(try await check(fixture, "PATCH", "/v1/me/devices/\(id)", stranger, body: #"{"name":"Mine"}"#).status == 404)
        #expect(try await check(fixture, "PATCH", "/v1/me/devices/\(id)", kept, body: #"{"name":""}"#).code == "malformed_request")
        #expect(try await check(fixture, "PATCH", "/v1/me/devices/\(id)", kept, body: #"{"name":"x","app":"y"}"#).code == "unknown_field")
        #expect(try await check(fixture, "DELETE", "/v1/me/devices/\(id)", stranger).status == 404)
        #expect(try await check(fixture, "DELETE", "/v1/me/devices/\(id)", kept).status == 204)
        #expect(try await check(fixture, "GET", "/v1/me/devices", lost).code == "token_invalid")
        #expect(try items(try await check(fixture, "GET", "/v1/me/devices", kept)).count == 1)
        // With the same cookie it is a new device.
        _ = try await token(fixture, "ana@example.com", phone)
        #expect(try items(try await check(fixture, "GET", "/v1/me/devices", kept)).map { $0["name"]?.stringValue }.contains("Firefox on Linux"))
    }
}
