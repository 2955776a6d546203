import Contracts
import Crypto
import Foundation
import Outbox
import Postgres
import Testing

@testable import Identity

@Suite("Recovery") struct RecoveryTests {
    private static let newPassword = "a new and longer password"
    private let fixture: AccountFixture
    private let email = "ana@example.com"
    private let user: UserID

    init() async throws {
        fixture = try await AccountFixture()
        user = try await fixture.makeUser(email)
        // The mail of the registration is out of the way of the next.
        fixture.clock.advance(by: .seconds(61))
    }

    private func begin(_ email: String) async throws -> BegunFlow {
        try await fixture.flows.beginRecovery(RecoveryRequest(email: email), AccountFixture.facts())
    }

    private func complete(
        _ flow: String, _ code: String, _ password: String = newPassword, secondFactor: String? = nil
    ) async throws {
        try await fixture.completeRecovery(
            CompleteRecoveryRequest(flow: flow, code: code, newPassword: password, secondFactor: secondFactor), AccountFixture.facts())
    }

    private func begun() async throws -> (flow: String, code: String) {
        let begun = try await begin(email)
        return (begun.handle.text, try #require(try await fixture.code(to: email)))
    }

    private func generation() async throws -> Int64 {
        let statement: PostgresQuery = "SELECT credential_generation FROM users WHERE id = \(user.uuid)"
        return try await fixture.base.query(statement) { row in try row.decode(Int64.self) }[0]
    }

    /// Enrols an authenticator app.
    private func enrol() async throws -> TOTP {
        let (id, secret) = (fixture.base.newID(), (0..<20).map { _ in UInt8.random(in: .min ... .max) })
        let sealed = try fixture.box.seal(secret, for: StoredTOTP.context(id))
        try await fixture.base.execute(
            """
            INSERT INTO totp_credentials (id, user_id, sealed_secret, created_at, confirmed_at)
            VALUES (\(id), \(user.uuid), \(sealed), \(fixture.clock.now.stored), \(fixture.clock.now.stored))
            """)
        return TOTP(secret: secret)
    }

    @Test("the mailed code replaces the password, ends every session, raises the generation and tells the owner")
    func recovered() async throws {
        let session = try await fixture.base.makeSession(of: user.uuid)
        let before = try await generation()
        let (flow, code) = try await begun()
        try await complete(flow, code)
        #expect(try await fixture.signsIn(email, Self.newPassword))
        #expect(try await !fixture.signsIn(email, AccountFixture.password))
        #expect(try await generation() == before + 1)
        #expect(try await fixture.base.count("sessions", where: "end_reason = 'credentials_changed'") == 1)
        let events = try await fixture.base.events()
        #expect(events.contains { $0.type == "identity.session.revoked.v1" && $0.subject == SessionID(session).description })
        let recovered = try #require(events.first { $0.type == "identity.account.recovered.v1" })
        #expect(recovered.subject == user.description && recovered.data.contains(#""multi_factor":false"#))
        let notice = try #require(try await fixture.mails().last)
        #expect(notice.purpose == .accountRecovered && notice.content.address == email && notice.user == user)
        // No session comes of it (ID-14).
        #expect(try await fixture.base.count("sessions", where: "ended_at IS NULL") == 0)
    }

    @Test("ID-01: without the mailed secret of this very flow, unused, no password is set")
    func order() async throws {
        let (flow, code) = try await begun()
        fixture.clock.advance(by: .seconds(61))
        let (otherFlow, otherCode) = try await begun()
        for wrong in ["", " ", AccountFixture.wrong(code), code == otherCode ? "" : otherCode] {
            await #expect(throws: AccountRefusal.codeInvalid) { try await complete(flow, wrong) }
        }
        for handle in ["", "x", BrowserSecret.random().text] {
            await #expect(throws: AccountRefusal.codeInvalid) { try await complete(handle, code) }
        }
        #expect(try await fixture.signsIn(email, AccountFixture.password))
        let failures = try await fixture.base.events().filter { $0.type == "identity.sign_in.failed.v1" }
        #expect(failures.count == 4 && failures.allSatisfy { $0.subject == user.description && $0.data.contains(#""factor":"mailed_code""#) })
        // A registration's flow is no recovery's.
        _ = try await fixture.register(RegisterUserRequest(email: "b@example.com", password: AccountFixture.password), AccountFixture.facts())
        try await complete(otherFlow, otherCode)
        // Used, and the other one is gone with it.
        await #expect(throws: AccountRefusal.codeInvalid) { try await complete(otherFlow, otherCode, "yet another long password") }
        await #expect(throws: AccountRefusal.codeInvalid) { try await complete(flow, code, "yet another long password") }
        #expect(try await fixture.signsIn(email, Self.newPassword))
    }

    @Test("ID-01: the database lets no step be skipped", arguments: ["'new_password'", "'finished'"])
    func steps(state: String) async throws {
        _ = try await enrol()
        let (flow, code) = try await begun()
        await #expect(throws: AccountRefusal.secondFactorRequired) { try await complete(flow, code) }
        await #expect(throws: (any Error).self) {
            try await fixture.base.execute("UPDATE mailed_codes SET state = 'code' WHERE kind = 'recovery'")
        }
        await #expect(throws: (any Error).self) {
            try await fixture.base.execute(
                "UPDATE mailed_codes SET state = 'finished' WHERE kind = 'recovery' AND state = 'second_factor'")
        }
        _ = try await begin("nobody@example.com")
        // An unknown address has no user, whatever its flow says.
        await #expect(throws: (any Error).self) {
            try await fixture.base.execute(
                .init(unsafeSQL: "UPDATE mailed_codes SET state = \(state) WHERE email = 'nobody@example.com'"))
        }
    }

    @Test("ID-14: with a second factor the mailed code is not enough, and a right second factor is")
    func secondFactor() async throws {
        let totp = try await enrol()
        let (flow, code) = try await begun()
        await #expect(throws: AccountRefusal.secondFactorRequired) { try await complete(flow, code) }
        let right = totp.code(at: TOTP.step(at: fixture.clock.now))
        await #expect(throws: CredentialRefusal.wrong) { try await complete(flow, code, secondFactor: AccountFixture.wrong(right)) }
        // The second factor alone is as little.
        await #expect(throws: AccountRefusal.codeInvalid) { try await complete(flow, AccountFixture.wrong(code), secondFactor: right) }
        #expect(try await fixture.signsIn(email, AccountFixture.password))
        try await complete(flow, code, secondFactor: right)
        #expect(try await fixture.signsIn(email, Self.newPassword))
        #expect(try await fixture.base.count("totp_credentials", where: "confirmed_at IS NOT NULL") == 1)
        let events = try await fixture.base.events()
        #expect(events.contains { $0.type == "identity.account.recovered.v1" && $0.data.contains(#""multi_factor":true"#) })
    }

    @Test("a short password is refused without a second factor and taken beside one, and the code stays good for a better one")
    func short() async throws {
        let (flow, code) = try await begun()
        await #expect(throws: PasswordFault.tooShort(minimum: 15)) { try await complete(flow, code, "rather 4 short") }
        await #expect(throws: PasswordFault.tooShort(minimum: 8)) { try await complete(flow, code, "short") }
        try await complete(flow, code)
        fixture.clock.advance(by: .seconds(61))
        let totp = try await enrol()
        let (next, nextCode) = try await begun()
        try await complete(next, nextCode, "rather 4 short", secondFactor: totp.code(at: TOTP.step(at: fixture.clock.now)))
        #expect(try await fixture.base.count("passwords", where: "is_short") == 1)
    }

    @Test("ID-25: what changes the credentials meanwhile ends the recovery; a disabled user's does not begin")
    func overtaken() async throws {
        let (flow, code) = try await begun()
        try await fixture.base.execute("UPDATE users SET credential_generation = credential_generation + 1")
        await #expect(throws: AccountRefusal.codeInvalid) { try await complete(flow, code) }
        fixture.clock.advance(by: .seconds(61))
        let (next, nextCode) = try await begun()
        _ = try await fixture.users.disable(user, by: "test")
        await #expect(throws: AccountRefusal.codeInvalid) { try await complete(next, nextCode) }
        let count = try await fixture.mails().count
        fixture.clock.advance(by: .seconds(61))
        _ = try await begin(email)
        #expect(try await fixture.mails().count == count)
    }

    @Test("ID-12, ID-13: an unknown address gets the same answer and row, no mail, and the same budget; 20 requests send what the budget allows")
    func unknown() async throws {
        let count = try await fixture.mails().count
        let begun = try await begin("nobody@example.com")
        #expect(begun.handle.text.count == 43 && begun.expiresAt == fixture.clock.now + .seconds(600))
        #expect(try await fixture.mails().count == count)
        for _ in 0..<20 {
            _ = try await begin("nobody@example.com")
            _ = try await begin(email)
        }
        #expect(try await fixture.mails().count == count + 1)
        let budgets = try await fixture.base.query(
            "SELECT cardinality(sent_at), count(*) FROM mail_budgets WHERE bucket = 'address' GROUP BY 1 ORDER BY 1"
        ) { row in try row.decode(Int32.self, Int64.self) }
        // Of nobody once, of the user twice with the registration.
        #expect(budgets.map(\.0) == [1, 2] && budgets.map(\.1) == [1, 1])
        let mail = try #require(try await fixture.mails().last)
        #expect(mail.purpose == .recoveryCodeMail && mail.content.link == nil && mail.expiresAt != nil)
    }

    @Test("ID-13: of 20 completions with the right code at once, one sets its password")
    func parallel() async throws {
        let (flow, code) = try await begun()
        let set = try await withThrowingTaskGroup(of: String?.self) { group in
            for index in 0..<20 {
                group.addTask {
                    let password = "a new and longer password \(index)"
                    do {
                        try await complete(flow, code, password)
                        return password
                    } catch is AccountRefusal {
                        return nil
                    } catch is CredentialRefusal {
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [String]()) { if let password = $1 { $0.append(password) } }
        }
        #expect(set.count == 1)
        #expect(try await fixture.signsIn(email, set.first ?? ""))
        #expect(try await fixture.base.count("outbox_events", where: "type = 'identity.account.recovered.v1'") == 1)
    }
}
