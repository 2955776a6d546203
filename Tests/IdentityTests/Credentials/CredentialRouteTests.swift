import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// The routes by which an owner changes what they sign in with, over the wire.
@Suite struct CredentialRouteTests {
    private static let new = "staple battery horse"

    private let api: AccountAPI
    private let user: UserID
    private let session: UUID
    private let token: String

    init() async throws {
        api = try await AccountAPI { $0.credentials.endpoints }
        user = try await api.fixture.makeUser("ana@example.com")
        session = try await api.fixture.base.makeSession(of: user.uuid)
        token = try await api.token(user, session: session)
    }

    private func change(_ current: String = AccountFixture.password, to new: String = new) async throws -> WireAnswer {
        let body = #"{"current_password":"\#(current)","new_password":"\#(new)"}"#
        return try await api.send("POST", "/v1/me/password", body, token: token)
    }

    private func code(_ secret: String) throws -> String {
        TOTP(secret: try FactorFixture.bytes(ofBase32: secret)).code(at: TOTP.step(at: api.fixture.clock.now))
    }

    @Test func `a password is changed by who knows the current one`() async throws {
        let answer = try await change()
        #expect(answer.status == 204 && answer.body.isEmpty, "\(answer.body)")
        #expect(try await api.fixture.signsIn("ana@example.com", Self.new))
        #expect(try await !api.fixture.signsIn("ana@example.com", AccountFixture.password))
    }

    @Test func `a wrong current password is counted, and then refused with the time to wait`() async throws {
        for _ in 0..<5 {
            let answer = try await change("wrong horse battery")
            #expect(answer.status == 422 && answer.code == "credentials_invalid", "\(answer.body)")
        }
        let answer = try await change()
        #expect(answer.status == 429 && answer.code == "rate_limited" && answer.fields["retry-after"] == "30", "\(answer.fields)")
    }

    @Test(
        "ID-11: a new password that can't be one is refused by its name, and says why",
        arguments: [
            ("too short", "at least 15"), (String(repeating: "x", count: 257), "at most 256 characters"), ("P\\u0000x", "can't be typed"),
            ("passwordpassword", "common"), ("", "empty"),
        ]
    ) func unfit(new: String, reason: String) async throws {
        let answer = try await change(to: new)
        #expect(answer.status == 400 && answer.code == "malformed_request" && answer.pointers == ["/new_password"], "\(answer.body)")
        #expect(answer.body.contains(reason), "\(answer.body)")
    }

    @Test func `a second factor is enrolled and confirmed: secret, picture and recovery codes are shown once and not stored on the way`() async throws
    {
        let enrolled = try await api.send("POST", "/v1/me/mfa/totp", token: token)
        #expect(enrolled.status == 200 && enrolled.fields["cache-control"] == "no-store", "\(enrolled.body)")
        let secret = try #require(enrolled.json["secret"]?.stringValue)
        #expect(enrolled.json["uri"]?.stringValue?.contains("secret=\(secret)&") == true)
        #expect(enrolled.json["qr_code"]?.stringValue?.hasPrefix("<svg ") == true)
        let wrong = try await api.send("POST", "/v1/me/mfa/totp/confirm", #"{"code":"abcdef"}"#, token: token)
        #expect(wrong.status == 422 && wrong.code == "credentials_invalid", "\(wrong.body)")
        let confirmed = try await api.send("POST", "/v1/me/mfa/totp/confirm", #"{"code":"\#(try code(secret))"}"#, token: token)
        #expect(confirmed.status == 200 && confirmed.fields["cache-control"] == "no-store", "\(confirmed.body)")
        #expect(confirmed.json["recovery_codes"]?.arrayValue?.count == RecoveryCode.count)
        let again = try await api.send("POST", "/v1/me/mfa/totp/confirm", #"{"code":"\#(try code(secret))"}"#, token: token)
        #expect(again.status == 422 && again.code == "second_factor_missing", "\(again.body)")
    }

    @Test(
        "ID-05: a session that showed no second factor is asked for it, as RFC 9470 says",
        arguments: [("POST", "/v1/me/mfa/totp"), ("DELETE", "/v1/me/mfa/totp"), ("POST", "/v1/me/mfa/recovery-codes"), ("POST", "/v1/me/password")])
    func stepUp(method: String, path: String) async throws {
        let secret = try #require(try await api.send("POST", "/v1/me/mfa/totp", token: token).json["secret"]?.stringValue)
        #expect(try await api.send("POST", "/v1/me/mfa/totp/confirm", #"{"code":"\#(try code(secret))"}"#, token: token).status == 200)
        let body = path == "/v1/me/password" ? #"{"current_password":"\#(AccountFixture.password)","new_password":"\#(Self.new)"}"# : nil
        let answer = try await api.send(method, path, body, token: token)
        #expect(answer.status == 401 && answer.code == "insufficient_user_authentication", "\(answer.body)")
        let challenge = try #require(answer.fields["www-authenticate"])
        #expect(challenge.contains(#"error="insufficient_user_authentication""#) && challenge.contains(#"acr_values="urn:florin:acr:mfa""#))
        #expect(challenge.contains(#"max_age="300""#) == (path != "/v1/me/password"))
        #expect(try await api.fixture.base.count("totp_credentials", where: "confirmed_at IS NOT NULL") == 1)
    }

    @Test func `with it the second factor is removed, and its codes are replaced before`() async throws {
        let none = try await api.send("DELETE", "/v1/me/mfa/totp", token: token)
        #expect(none.status == 422 && none.code == "second_factor_missing")
        let secret = try #require(try await api.send("POST", "/v1/me/mfa/totp", token: token).json["secret"]?.stringValue)
        #expect(try await api.send("POST", "/v1/me/mfa/totp/confirm", #"{"code":"\#(try code(secret))"}"#, token: token).status == 200)
        let now = api.fixture.clock.now
        try await api.fixture.base.execute(
            "UPDATE sessions SET amr = ARRAY['pwd', 'otp'], second_factor_at = to_timestamp(\(Double(now.seconds))) WHERE id = \(session)")
        #expect(try await api.send("POST", "/v1/me/mfa/recovery-codes", token: token).json["recovery_codes"]?.arrayValue?.count == 10)
        #expect(try await api.send("DELETE", "/v1/me/mfa/totp", token: token).status == 204)
        #expect(try await api.fixture.base.count("totp_credentials") == 0)
    }

    @Test(
        "who is not the owner gets nowhere",
        arguments: [
            ("POST", "/v1/me/password"), ("POST", "/v1/me/mfa/totp"), ("POST", "/v1/me/mfa/totp/confirm"), ("DELETE", "/v1/me/mfa/totp"),
            ("POST", "/v1/me/mfa/recovery-codes"),
        ]
    ) func strangers(method: String, path: String) async throws {
        let body =
            switch path {
            case "/v1/me/password": #"{"current_password":"\#(AccountFixture.password)","new_password":"\#(Self.new)"}"#
            case "/v1/me/mfa/totp/confirm": #"{"code":"123456"}"#
            default: nil as String?
            }
        #expect(try await api.send(method, path, body).code == "token_missing")
        #expect(try await api.send(method, path, body, by: "backoffice", token: token).code == "caller_not_allowed")
        #expect(try await api.send(method, path, body, token: try await api.clientToken()).code == "caller_not_allowed")
        let narrow = try await api.token(user, session: session, scopes: ["profile"])
        #expect(try await api.send(method, path, body, token: narrow).code == "insufficient_scope")
        // A token outlives its session; what it could do here does not.
        try await api.fixture.base.execute("UPDATE sessions SET ended_at = created_at, end_reason = 'signed_out'")
        let ended = try await api.send(method, path, body, token: token)
        #expect(ended.status == 401 && ended.code == "token_invalid", "\(ended.body)")
    }
}
