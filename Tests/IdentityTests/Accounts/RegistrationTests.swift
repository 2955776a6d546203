import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Identity

@Suite("Registration") struct RegistrationTests {
    private let fixture: AccountFixture

    init() async throws {
        fixture = try await AccountFixture()
    }

    private func begin(_ email: String, _ password: String = AccountFixture.password, network: String = "\(UUID())") async throws -> BegunFlow {
        try await fixture.register(RegisterUserRequest(email: email, password: password), AccountFixture.facts(network))
    }

    private func enter(_ code: String, _ begun: BegunFlow) async throws -> UserID {
        try await fixture.verifyEmail(VerifyEmailRequest(flow: begun.handle.text, code: code), AccountFixture.facts())
    }

    @Test("a user comes about with the mailed code, with password, role and event, and not before")
    func registered() async throws {
        let begun = try await fixture.register(
            RegisterUserRequest(email: " Ana@Example.COM ", password: AccountFixture.password, name: "Ana", locale: "de"), AccountFixture.facts())
        #expect(try await fixture.base.count("users") == 0)
        let mail = try #require(try await fixture.mails().first)
        #expect(mail.purpose == .registrationCode && mail.locale == "de" && mail.user == nil && mail.expiresAt == begun.expiresAt)
        // The name is whatever a stranger wrote: no mail says it.
        #expect(mail.content.address == "Ana@Example.COM" && mail.content.name == nil)
        let code = try #require(mail.content.code)
        #expect(code.count == 6 && code.allSatisfy(\.isNumber))
        let user = try await enter(code, begun)
        let rows = try await fixture.base.query("SELECT id, email, email_key, name, locale, status FROM users") { row in
            try row.decode(UUID.self, String.self, String.self, String?.self, String.self, String.self)
        }
        #expect(rows.count == 1 && rows[0] == (user.uuid, "Ana@Example.COM", "ana@example.com", "Ana", "de", "active"))
        #expect(try await fixture.base.count("user_roles", where: "role = 'customer'") == 1)
        #expect(try await fixture.signsIn("ana@example.com", AccountFixture.password))
        let events = try await fixture.base.events().filter { $0.type == "identity.user.registered.v1" }
        #expect(events.map(\.subject) == [user.description] && events.map(\.partitionKey) == [user.description])
        #expect(try await fixture.base.count("mailed_codes", where: "password_phc IS NOT NULL") == 0)
    }

    @Test("ID-04: the same code in the same flow again gets the same user and no second event")
    func repeated() async throws {
        let begun = try await begin("twice@example.com")
        let code = try #require(try await fixture.code(to: "twice@example.com"))
        let user = try await enter(code, begun)
        #expect(try await enter(code, begun) == user)
        #expect(try await fixture.base.count("outbox_events", where: "type = 'identity.user.registered.v1'") == 1)
        await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter(AccountFixture.wrong(code), begun) }
    }

    @Test("ID-08: whoever squats an address gains nothing: the owner's password works, the squatter's fails")
    func squatter() async throws {
        let squatting = try await begin("v@example.com", "the squatter's own password")
        let squatted = try #require(try await fixture.code(to: "v@example.com"))
        fixture.clock.advance(by: .seconds(61))
        let owning = try await begin("v@example.com", "the owner's own password")
        let code = try #require(try await fixture.code(to: "v@example.com"))
        // The code of one flow is nothing in another.
        await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter(code == squatted ? AccountFixture.wrong(code) : code, squatting) }
        _ = try await enter(code, owning)
        #expect(try await fixture.signsIn("v@example.com", "the owner's own password"))
        #expect(try await !fixture.signsIn("v@example.com", "the squatter's own password"))
        // What the squatter began is gone, even with the code that was mailed for it.
        await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter(squatted, squatting) }
        #expect(try await !fixture.signsIn("v@example.com", "the squatter's own password"))
    }

    @Test("ID-08: free, taken and unverified addresses get the same answer and leave the same rows; a taken one gets a notice")
    func noOracle() async throws {
        let owner = try await fixture.makeUser("taken@example.com")
        _ = try await begin("begun@example.com")
        fixture.clock.advance(by: .seconds(61))
        let emails = ["free@example.com", "taken@example.com", "begun@example.com"]
        for email in emails {
            let begun = try await begin(email, "another long password")
            #expect(begun.handle.text.count == 43 && begun.expiresAt == fixture.clock.now + .seconds(600))
        }
        let mails = try await fixture.mails().suffix(3)
        #expect(mails.map(\.purpose) == [.registrationCode, .addressTaken, .registrationCode])
        #expect(mails.map(\.content.address) == emails && mails.map(\.user) == [nil, owner, nil])
        let rows = try await fixture.base.query(
            "SELECT email, state, password_phc IS NOT NULL, user_id IS NULL, wrong_codes FROM mailed_codes ORDER BY id DESC LIMIT 3"
        ) { row in try row.decode(String.self, String.self, Bool.self, Bool.self, Int16.self) }
        #expect(Set(rows.map(\.0)) == Set(emails) && rows.allSatisfy { $0.1 == "code" && $0.2 && $0.3 && $0.4 == 0 })
        #expect(try await fixture.signsIn("taken@example.com", AccountFixture.password))
    }

    @Test("ID-08: nobody becomes the owner of a taken address, whatever code they enter")
    func taken() async throws {
        _ = try await fixture.makeUser("mine@example.com")
        fixture.clock.advance(by: .seconds(61))
        let begun = try await begin("mine@example.com", "another long password")
        // Not even with the code itself, were one drawn.
        let sealed = try fixture.box.seal(Array("123456".utf8), for: "mailed_codes \(try await latestRow().uuidString)")
        try await fixture.base.execute("UPDATE mailed_codes SET sealed_code = \(sealed) WHERE id = \(try await latestRow())")
        await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter("123456", begun) }
        #expect(try await fixture.base.count("users") == 1)
        #expect(try await !fixture.signsIn("mine@example.com", "another long password"))
    }

    private func latestRow() async throws -> UUID {
        try await fixture.base.query("SELECT id FROM mailed_codes ORDER BY id DESC LIMIT 1") { row in try row.decode(UUID.self) }[0]
    }

    @Test("ID-10: of 20 registrations in any spelling at once, one becomes an account")
    func parallel() async throws {
        let spellings = (0..<20).map { index in index.isMultiple(of: 2) ? "ANA@example.com" : " ana@Example.Com" }
        let flows = try await withThrowingTaskGroup(of: BegunFlow.self) { group in
            for spelling in spellings { group.addTask { try await begin(spelling) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // One mail a minute; the code of the others is made known here.
        #expect(try await fixture.mails().count == 1)
        let rows = try await fixture.base.query("SELECT id FROM mailed_codes") { row in try row.decode(UUID.self) }
        for row in rows {
            let sealed = try fixture.box.seal(Array("123456".utf8), for: "mailed_codes \(row.uuidString)")
            try await fixture.base.execute("UPDATE mailed_codes SET sealed_code = \(sealed) WHERE id = \(row)")
        }
        let users = try await withThrowingTaskGroup(of: UserID?.self) { group in
            for flow in flows {
                group.addTask {
                    do { return try await enter("123456", flow) } catch AccountRefusal.codeInvalid { return nil }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(users.compactMap(\.self).count == 1)
        #expect(try await fixture.base.count("users") == 1)
        #expect(try await fixture.base.count("outbox_events", where: "type = 'identity.user.registered.v1'") == 1)
    }

    @Test("a code is good for its time, for its flow and for five tries")
    func limits() async throws {
        let late = try await begin("late@example.com")
        let lateCode = try #require(try await fixture.code(to: "late@example.com"))
        fixture.clock.advance(by: .seconds(600))
        await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter(lateCode, late) }
        let begun = try await begin("tries@example.com")
        let code = try #require(try await fixture.code(to: "tries@example.com"))
        for handle in ["", "x", BrowserSecret.random().text] {
            await #expect(throws: AccountRefusal.codeInvalid) {
                _ = try await fixture.verifyEmail(VerifyEmailRequest(flow: handle, code: code), AccountFixture.facts())
            }
        }
        for wrong in ["", "12345", "abcdef", AccountFixture.wrong(code), AccountFixture.wrong(code)] {
            await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter(wrong, begun) }
        }
        // ID-06: the sixth is not looked at, and when it is again the code has had its tries.
        let refusal = await #expect(throws: CredentialRefusal.self) { _ = try await enter(code, begun) }
        guard case .blocked(let pause)? = refusal else { return #expect(Bool(false)) }
        fixture.clock.advance(by: pause)
        await #expect(throws: AccountRefusal.codeInvalid) { _ = try await enter(code, begun) }
        #expect(try await fixture.base.count("users") == 0)
    }

    @Test("ID-13: however often it is asked for, mail goes out within its budget, and the answer is the same")
    func budget() async throws {
        for _ in 0..<20 { _ = try await begin("flood@example.com") }
        #expect(try await fixture.mails().count == 1)
        // What was not mailed can't be guessed either.
        #expect(try await fixture.base.count("mailed_codes", where: "sealed_code IS NULL") == 19)
        for _ in 0..<20 {
            fixture.clock.advance(by: .seconds(60))
            _ = try await begin("flood@example.com")
        }
        #expect(try await fixture.mails().count == 5)
        for _ in 0..<40 {
            fixture.clock.advance(by: .seconds(3_600))
            _ = try await begin("flood@example.com")
        }
        #expect(try await fixture.mails().count <= 5 + 5 + 10)
        // One network, many addresses.
        let before = try await fixture.mails().count
        for index in 0..<30 { _ = try await begin("many-\(index)@example.com", network: "203.0.113.0/24") }
        #expect(try await fixture.mails().count == before + 10)
    }

    @Test("a password that can't be one and a text that is no address are refused before anything is written")
    func refused() async throws {
        for (email, password) in [("a@example.com", "short"), ("a@example.com", "passwordpassword"), ("a@example.com", "nul\0nul\0nul\0nul\0nul")] {
            await #expect(throws: PasswordFault.self) { _ = try await begin(email, password) }
        }
        for email in ["nobody", "a@b", "a@@example.com", "@example.com"] {
            await #expect(throws: AccountRefusal.addressInvalid) { _ = try await begin(email) }
        }
        #expect(try await fixture.base.count("mailed_codes") == 0)
        #expect(try await fixture.base.count("outbox_events") == 0)
    }

    @Test("connections that are killed at whatever step of a registration lose no user and no event, and make none twice")
    func killed() async throws {
        var users = 0
        try await fixture.base.database.whileConnectionsEnd(every: .milliseconds(15)) {
            var cuts = 0
            while cuts < 15 {
                users += 1
                var isDone = false
                while !isDone {
                    // Who got no answer asks again, so much later that the budget of mails allows each.
                    fixture.clock.advance(by: .seconds(3 * 3_600))
                    do { isDone = try await attempt("user\(users)@example.com") } catch let error as PostgresError where error.isOutage { cuts += 1 }
                }
            }
        }
        #expect(try await fixture.base.count("users") == Int64(users))
        #expect(try await fixture.base.count("passwords") == Int64(users))
        #expect(try await fixture.base.count("outbox_events", where: "type = 'identity.user.registered.v1'") == Int64(users))
    }

    /// - Returns: whether the address has its user now: by this attempt, or by one whose answer was lost.
    private func attempt(_ email: String) async throws -> Bool {
        let begun = try await begin(email)
        guard let mail = try await fixture.mails().last, mail.content.address == email else { return false }
        guard mail.purpose == .registrationCode else { return true }
        // Beyond the budget the latest mail is of an earlier attempt.
        do { _ = try await enter(mail.content.code ?? "", begun) } catch AccountRefusal.codeInvalid { return false }
        return true
    }
}
