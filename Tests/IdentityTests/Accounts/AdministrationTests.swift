import Contracts
import Foundation
import Outbox
import Postgres
import TestSupport
import Testing

@testable import Identity

@Suite("Operators' commands over users") struct AdministrationTests {
    private let fixture: AccountFixture

    init() async throws {
        fixture = try await AccountFixture()
    }

    private func acts() async throws -> [String] {
        try await fixture.base.query("SELECT act, role, requested_by FROM operator_acts ORDER BY id") { row in
            let (act, role, person) = try row.decode(String.self, String?.self, String.self)
            return [act, role, person].compactMap(\.self).joined(separator: " ")
        }
    }

    @Test("a member of staff is made without a password, is invited by mail, and sets one by a recovery")
    func staff() async throws {
        let user = try await fixture.users.createStaff(email: "Ops@Example.com", role: .auditor, name: "Olu", by: "ana@host")
        let invitation = try #require(try await fixture.mails().first)
        #expect(invitation.purpose == .staffInvitation && invitation.content.address == "Ops@Example.com" && invitation.content.code == nil)
        #expect(try await fixture.base.count("passwords") == 0)
        #expect(try await !fixture.signsIn("ops@example.com", ""))
        #expect(try await acts() == ["created ana@host", "role_granted auditor ana@host"])
        let begun = try await fixture.flows.beginRecovery(RecoveryRequest(email: "ops@example.com"), AccountFixture.facts())
        let code = try #require(try await fixture.code(to: "Ops@Example.com"))
        try await fixture.completeRecovery(
            CompleteRecoveryRequest(flow: begun.handle.text, code: code, newPassword: AccountFixture.password), AccountFixture.facts())
        #expect(try await fixture.signsIn("ops@example.com", AccountFixture.password))
        await #expect(throws: AdministerUsers.Refusal.addressTaken(user)) {
            _ = try await fixture.users.createStaff(email: "OPS@example.com", role: .admin, name: nil, by: "ana@host")
        }
        await #expect(throws: AdministerUsers.Refusal.notStaff) {
            _ = try await fixture.users.createStaff(email: "c@example.com", role: .customer, name: nil, by: "ana@host")
        }
    }

    @Test("a role is granted once, recorded with who asked for it, and ends the sessions that began without it")
    func grant() async throws {
        let user = try await fixture.makeUser("ana@example.com")
        _ = try await fixture.base.makeSession(of: user.uuid)
        #expect(try await fixture.users.grant(.support, to: user, by: "bo@host"))
        #expect(try await !fixture.users.grant(.support, to: user, by: "cy@host"))
        #expect(try await acts() == ["role_granted support bo@host"])
        #expect(try await fixture.base.count("sessions", where: "end_reason = 'roles_changed'") == 1)
        #expect(try await fixture.base.count("users", where: "credential_generation = 2") == 1)
        let stranger = UserID(fixture.base.newID())
        await #expect(throws: AdministerUsers.Refusal.notFound) { _ = try await fixture.users.grant(.support, to: stranger, by: "bo@host") }
        let listed = try await fixture.users.list(email: nil, role: .support, status: nil, limit: 10)
        #expect(listed.map(\.account.userID) == [user] && listed.map(\.roles) == [[.customer, .support]])
    }

    @Test("a role is revoked once, recorded with who asked for it, and ends the sessions that had it")
    func revoke() async throws {
        let user = try await fixture.users.createStaff(email: "ops@example.com", role: .auditor, name: nil, by: "ana@host")
        _ = try await fixture.base.makeSession(of: user.uuid)
        #expect(try await !fixture.users.revoke(.admin, from: user, by: "bo@host"))
        #expect(try await fixture.base.count("sessions", where: "ended_at IS NULL") == 1)
        #expect(try await fixture.users.revoke(.auditor, from: user, by: "bo@host"))
        #expect(try await !fixture.users.revoke(.auditor, from: user, by: "cy@host"))
        #expect(try await acts() == ["created ana@host", "role_granted auditor ana@host", "role_revoked auditor bo@host"])
        #expect(try await fixture.users.list(email: nil, role: nil, status: nil, limit: 10).map(\.roles) == [[]])
        #expect(try await fixture.base.count("users", where: "credential_generation = 2") == 1)
        let ends = try await fixture.base.events().filter { $0.type == "identity.session.revoked.v1" }
        #expect(ends.count == 1 && ends[0].data.contains(#""reason":"roles_changed""#))
        await #expect(throws: AdministerUsers.Refusal.notFound) {
            _ = try await fixture.users.revoke(.auditor, from: UserID(fixture.base.newID()), by: "bo@host")
        }
    }

    @Test("disabling ends sessions, raises the generation, tells the owner, and is done once")
    func disable() async throws {
        let user = try await fixture.makeUser("ana@example.com")
        _ = try await fixture.base.makeSession(of: user.uuid)
        #expect(try await fixture.users.disable(user, by: "bo@host"))
        #expect(try await !fixture.users.disable(user, by: "bo@host"))
        #expect(try await fixture.base.count("sessions", where: "end_reason = 'disabled'") == 1)
        #expect(try await fixture.base.count("users", where: "status = 'disabled' AND credential_generation = 2") == 1)
        #expect(try await acts() == ["disabled bo@host"])
        #expect(try await fixture.mails().last?.purpose == .accountDisabled)
        let events = try await fixture.base.events().filter { $0.type == "identity.session.revoked.v1" }
        #expect(events.count == 1 && events[0].data.contains(#""reason":"disabled""#))
        await #expect(throws: CredentialRefusal.disabled) { _ = try await fixture.signsIn("ana@example.com", AccountFixture.password) }
        await #expect(throws: AdministerUsers.Refusal.notActive) { _ = try await fixture.users.grant(.support, to: user, by: "bo@host") }
    }

    @Test("what operators did can't be changed or deleted, not even by the owner of the table")
    func kept() async throws {
        let user = try await fixture.makeUser("ana@example.com")
        _ = try await fixture.users.grant(.support, to: user, by: "bo@host")
        for statement in ["UPDATE operator_acts SET requested_by = 'nobody'", "DELETE FROM operator_acts", "TRUNCATE operator_acts"] {
            await #expect(throws: (any Error).self, "\(statement)") {
                try await fixture.base.execute(.init(unsafeSQL: statement), as: fixture.base.database.ownerURL)
            }
        }
    }
}
