import Contracts
import Foundation
import Outbox
import Postgres
import StrictJSON
import Testing

@testable import Identity

@Suite("Accounts over HTTP") struct AccountHTTPTests {
    private let api: AccountAPI
    private let email = "ana@example.com"
    private var fixture: AccountFixture { api.fixture }

    init() async throws {
        api = try await AccountAPI()
    }

    private func register(_ email: String, by caller: String = "mobile-bff") async throws -> WireAnswer {
        try await api.send("POST", "/v1/users", #"{"email":"\#(email)","password":"\#(AccountFixture.password)"}"#, by: caller)
    }

    private func verify(_ flow: String, _ code: String) async throws -> WireAnswer {
        try await api.send("POST", "/v1/users/verify-email", #"{"flow":"\#(flow)","code":"\#(code)"}"#)
    }

    private func registered() async throws -> (user: UserID, session: UUID, token: String) {
        let user = try await fixture.makeUser(email)
        let session = try await fixture.base.makeSession(of: user.uuid)
        return (user, session, try await api.token(user, session: session))
    }

    @Test("ID-08: registration answers the same for a free and a taken address; the code makes the user; the sixth wrong one is 429")
    func registration() async throws {
        _ = try await fixture.makeUser("taken@example.com")
        fixture.clock.advance(by: .seconds(61))
        let (free, taken) = (try await register(email), try await register("taken@example.com"))
        for answer in [free, taken] {
            #expect(answer.status == 202 && answer.json.objectValue?.map(\.name) == ["flow", "expires_at"], "\(answer.body)")
            #expect(answer.json["flow"]?.stringValue?.count == 43)
        }
        #expect(Set(free.fields.keys) == Set(taken.fields.keys) && free.json["expires_at"] == taken.json["expires_at"])
        let (flow, code) = (free.json["flow"]?.stringValue ?? "", try await fixture.code(to: email) ?? "")
        let done = try await verify(flow, code)
        #expect(done.status == 200 && done.json["user_id"]?.stringValue?.hasPrefix("usr_") == true)
        #expect(try await verify(flow, code).body == done.body)
        let tried = taken.json["flow"]?.stringValue ?? ""
        for _ in 0..<5 {
            let wrong = try await verify(tried, "123456")
            #expect(wrong.status == 422 && wrong.code == "code_invalid")
        }
        let blocked = try await verify(tried, "123456")
        #expect(blocked.status == 429 && blocked.code == "rate_limited")
        #expect(blocked.fields["retry-after"].flatMap { Int($0) } ?? 0 > 0)
    }

    @Test("what a body can't be is refused by its member, and strangers are not let in")
    func refused() async throws {
        let cases = [
            (#"{"email":"nobody","password":"correct horse battery staple"}"#, "/email"),
            (#"{"email":"a@example.com","password":"short"}"#, "/password"), (#"{"email":"a@example.com"}"#, "/password"),
            (#"{"email":"a@example.com","password":"correct horse battery staple","roles":["admin"]}"#, "/roles"),
            (#"{"email":"a@example.com","password":"correct horse battery staple","locale":"german"}"#, "/locale"),
            (#"{"email":"a@example.com","password":"nul\u0000nul\u0000nul\u0000nul"}"#, "/password"),
        ]
        for (body, pointer) in cases {
            let answer = try await api.send("POST", "/v1/users", body)
            #expect(answer.status == 400 && answer.pointers == [pointer], "\(answer.body)")
        }
        #expect(try await register(email, by: "backoffice").status == 403)
        for path in ["/v1/internal/revocations", "/v1/users/verify-email"] {
            #expect(try await api.send(path.hasSuffix("email") ? "POST" : "GET", path, by: nil).status == 401)
        }
        #expect(try await fixture.base.count("mailed_codes") == 0)
    }

    @Test("ID-12: no header takes part in a mail; recovery answers the same for an unknown address and ends with 204")
    func recovery() async throws {
        _ = try await registered()
        var mails: [AccountFixture.Mail] = []
        var flow = ""
        let evil = ["x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"]
        for fields in [[:], evil] {
            fixture.clock.advance(by: .seconds(61))
            let answer = try await api.send("POST", "/v1/recovery", #"{"email":"\#(email)"}"#, fields)
            #expect(answer.status == 202)
            flow = answer.json["flow"]?.stringValue ?? ""
            mails.append(try #require(try await fixture.mails().last))
        }
        #expect(mails[0].purpose == mails[1].purpose && mails[0].content.address == mails[1].content.address)
        #expect(mails.allSatisfy { $0.content.link == nil && $0.content.name == nil && $0.content.details == nil })
        let unknown = try await api.send("POST", "/v1/recovery", #"{"email":"nobody@example.com"}"#)
        #expect(unknown.status == 202 && unknown.json.objectValue?.map(\.name) == ["flow", "expires_at"])
        let code = mails[1].content.code ?? ""
        func complete(_ members: String) async throws -> WireAnswer {
            try await api.send("POST", "/v1/recovery/complete", #"{"flow":"\#(flow)",\#(members)}"#)
        }
        #expect(try await complete(#""new_password":"a new and longer password""#).pointers == ["/code"])
        #expect(try await complete(#""code":"","new_password":"a new and longer password""#).status == 400)
        #expect(try await complete(#""code":"\#(code)","new_password":"short""#).pointers == ["/new_password"])
        let wrong = try await complete(#""code":"\#(AccountFixture.wrong(code))","new_password":"a new and longer password""#)
        #expect(wrong.status == 422 && wrong.code == "code_invalid")
        let done = try await complete(#""code":"\#(code)","new_password":"a new and longer password""#)
        #expect(done.status == 204 && done.body.isEmpty)
        #expect(done.fields["set-cookie"] == nil)
        #expect(try await fixture.signsIn(email, "a new and longer password"))
    }

    @Test("ID-09: a profile takes name and locale and nothing else, for its owner alone, in a living session")
    func profile() async throws {
        let (user, session, token) = try await registered()
        let read = try await api.send("GET", "/v1/me", token: token)
        #expect(read.status == 200 && read.json["id"]?.stringValue == user.description && read.json["email"]?.stringValue == email)
        let members = [(#""email":"new@example.com""#, "email"), (#""email_verified":true"#, "email_verified"), (#""roles":["admin"]"#, "roles")]
        for (member, name) in members {
            let answer = try await api.send("PATCH", "/v1/me", "{\(member)}", token: token)
            #expect(answer.status == 400 && answer.code == "unknown_field" && answer.pointers == ["/\(name)"], "\(answer.body)")
        }
        let changed = try await api.send("PATCH", "/v1/me", #"{"name":"Ana Maria"}"#, by: "api-gateway", token: token)
        #expect(changed.status == 200 && changed.json["name"]?.stringValue == "Ana Maria" && changed.json["email"]?.stringValue == email)
        #expect(try await api.send("GET", "/v1/me", by: "backoffice", token: token).status == 403)
        #expect(try await api.send("GET", "/v1/me", token: try await api.clientToken()).status == 403)
        #expect(try await api.send("GET", "/v1/me", token: try await api.token(user, session: session, scopes: ["openid"])).status == 403)
        #expect(try await api.send("GET", "/v1/me").status == 401)
        try await fixture.base.execute("UPDATE sessions SET ended_at = now(), end_reason = 'signed_out'")
        let ended = try await api.send("GET", "/v1/me", token: token)
        #expect(ended.status == 401 && ended.code == "token_invalid" && ended.fields["www-authenticate"] != nil)
    }

    @Test("deletion asks for a fresh sign-in")
    func deletion() async throws {
        let (user, session, token) = try await registered()
        let stale = try await api.token(user, session: session, authenticatedAt: AccountAPI.now - 600)
        let refused = try await api.send("DELETE", "/v1/me", token: stale)
        #expect(refused.status == 401 && refused.code == "insufficient_user_authentication")
        #expect(refused.fields["www-authenticate"]?.contains("max_age=\"300\"") == true)
        #expect(try await api.send("DELETE", "/v1/me", token: token).status == 204)
        #expect(try await api.send("DELETE", "/v1/me", token: token).status == 401)
        #expect(try await fixture.base.count("users", where: "status = 'deleted'") == 1)
    }

    @Test("look-up and revocations are for the services that need them")
    func inside() async throws {
        let (user, session, token) = try await registered()
        let body = #"{"email":"ANA@example.com"}"#
        let found = try await api.send("POST", "/v1/internal/users/resolve", body, token: token)
        #expect(found.status == 200 && found.json["user_id"]?.stringValue == user.description)
        #expect(try await api.send("POST", "/v1/internal/users/resolve", #"{"email":"nobody@example.com"}"#, token: token).status == 404)
        #expect(try await api.send("POST", "/v1/internal/users/resolve", body, by: "api-gateway", token: token).status == 403)
        #expect(try await api.send("GET", "/v1/internal/revocations", by: "mobile-bff").status == 403)
        let now = fixture.clock.now
        try await fixture.base.pool.withTransaction { connection in
            _ = try SessionStore().end(session, of: user.uuid, reason: .endedByUser, at: now, connection)
        }
        let list = try await api.send("GET", "/v1/internal/revocations?limit=1", by: "api-gateway")
        #expect(list.status == 200)
        #expect(list.json["data"]?.arrayValue?.first?["sid"]?.stringValue == SessionID(session).description, "\(list.body)")
        #expect(try await api.send("GET", "/v1/internal/revocations?since=yesterday", by: "api-gateway").status == 400)
        let cursor = "v2-1y2p0ij32e8e7-0-0-0"
        #expect(try await api.send("GET", "/v1/internal/revocations?cursor=\(cursor)", by: "api-gateway").status == 400)
    }
}
