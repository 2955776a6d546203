import Contracts
import Foundation
import HTTPService
import Postgres
import TestSupport
import Testing

@testable import Identity

@Suite struct ChangePasswordTests {
    private static let new = "staple battery horse"

    private func request(_ current: String = CredentialFixture.password, to new: String = new) -> ChangePasswordRequest {
        ChangePasswordRequest(currentPassword: current, newPassword: new)
    }

    @Test func `ID-25: a new password raises the generation, ends the other sessions, keeps its own and is said by mail`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn("ana@example.com")
        let other = try await fixture.otherSession(of: asking)
        try await fixture.changePassword(request(), asking, FactorFixture.facts)
        #expect(try await fixture.generation(of: asking.user) == 2)
        #expect(try await fixture.isAlive(asking))
        #expect(try await !fixture.isAlive(other))
        let verify = fixture.credentials.verifyPassword
        #expect(try await verify(Self.new, of: asking.user, from: CredentialFixture.origin, until: nil).generation == 2)
        await #expect(throws: CredentialRefusal.wrong) {
            try await verify(CredentialFixture.password, of: asking.user, from: CredentialFixture.origin, until: nil)
        }
        let mail = try #require(try await fixture.credentials.mails().last)
        #expect(mail.purpose == .passwordChanged && mail.content.address == "ana@example.com" && mail.content.code == nil)
        let types = try await fixture.identity.events().map(\.type)
        #expect(types.contains("identity.session.revoked.v1"))
        // What has ended changes nothing any more.
        await #expect(throws: AccountRefusal.signedOut) {
            try await fixture.changePassword(request(Self.new, to: "yet another password"), other, FactorFixture.facts)
        }
    }

    @Test func `the current password is verified by the one verifier, and counts`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        for _ in 0..<5 {
            await #expect(throws: CredentialRefusal.wrong) { try await fixture.changePassword(request("wrong"), asking, FactorFixture.facts) }
        }
        await #expect(throws: CredentialRefusal.blocked(retryAfter: .seconds(30))) {
            try await fixture.changePassword(request(), asking, FactorFixture.facts)
        }
        #expect(try await fixture.generation(of: asking.user) == 1)
        // They were the device's own.
        #expect(try await fixture.identity.query("SELECT bucket FROM attempts") { try $0.decode(String.self) } == ["device"])
    }

    @Test func `an outsider who closes the account for strangers keeps nobody who is signed in from changing their password`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        for _ in 0..<5 {
            await #expect(throws: CredentialRefusal.wrong) {
                try await fixture.credentials.verifyPassword("guess", of: asking.user, from: CredentialFixture.origin, until: nil)
            }
        }
        try await fixture.changePassword(request(), asking, FactorFixture.facts)
    }

    @Test func `ID-05: with a second factor enrolled, a session that did not show it changes no password`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        _ = try await fixture.withTOTP(asking)
        let required = RequiredAuthentication(contexts: [Authentication.multiFactor])
        await #expect(throws: required) { try await fixture.changePassword(request(), asking, FactorFixture.facts) }
        try await fixture.stepUp(asking)
        // Beside it a short one will do.
        try await fixture.changePassword(request(to: "8 chars!"), asking, FactorFixture.facts)
        #expect(try await fixture.generation(of: asking.user) == 3)
    }

    @Test func `a new password that can't be one costs no attempt`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn("ana-maria.garcia@example.com")
        let faults: [(String, PasswordFault)] = [
            ("short", .tooShort(minimum: 15)), ("sunshinesunshine", .common), ("ana-maria.garcia", .common), ("\u{0}", .unusableCharacter),
            (String(repeating: "x", count: 257), .tooLong),
        ]
        for (new, fault) in faults {
            await #expect(throws: fault) { try await fixture.changePassword(request("wrong", to: new), asking, FactorFixture.facts) }
        }
        #expect(try await fixture.identity.count("attempts") == 0)
    }

    @Test func `of two changes at the same time one is made, and the other is told to sign in again`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        let other = try await fixture.otherSession(of: asking)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for (index, party) in [asking, other].enumerated() {
                group.addTask {
                    do {
                        try await fixture.changePassword(request(to: "the new password \(index)"), party, FactorFixture.facts)
                        return true
                    } catch {
                        // Whoever came second found another password, another generation, or no session.
                        #expect(error is CredentialRefusal || error as? AccountRefusal == .signedOut, "\(error)")
                        return false
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 }.count == 1)
        #expect(try await fixture.generation(of: asking.user) == 2)
    }
}
