import Contracts
import Foundation
import HTTPService
import Postgres
import TestSupport
import Testing

@testable import Identity

@Suite struct SecondFactorTests {
    private static let fresh = RequiredAuthentication(contexts: [], maximumAgeSeconds: 300)
    private static let freshWithFactor = RequiredAuthentication(contexts: [Authentication.multiFactor], maximumAgeSeconds: 300)

    @Test func `a secret counts once a code of it was entered: then it is asked for, other sessions end, and event and mail say so`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn("ana@example.com")
        let other = try await fixture.otherSession(of: asking)
        let enrolment = try await fixture.enrol(asking, FactorFixture.facts)
        #expect(
            enrolment.uri == "otpauth://totp/Florin:ana%40example.com?secret=\(enrolment.secret)&issuer=Florin&algorithm=SHA1&digits=6&period=30")
        #expect(enrolment.secret.utf8.count == 32 && QRCode(enrolment.uri) != nil)
        let verify = fixture.credentials.verifyPassword
        #expect(try await !verify(CredentialFixture.password, of: asking.user, from: CredentialFixture.origin, until: nil).secondFactor)
        #expect(try await fixture.isAlive(other))
        let totp = TOTP(secret: try FactorFixture.bytes(ofBase32: enrolment.secret))
        // In two groups, as apps show it.
        let code = fixture.credentials.code(totp)
        let codes = try await fixture.confirm("\(code.prefix(3)) \(code.suffix(3))", asking, FactorFixture.facts)
        #expect(Set(codes).count == RecoveryCode.count)
        #expect(try await verify(CredentialFixture.password, of: asking.user, from: CredentialFixture.origin, until: nil).secondFactor)
        #expect(try await fixture.isAlive(asking))
        #expect(try await !fixture.isAlive(other))
        #expect(try await fixture.generation(of: asking.user) == 2)
        let events = try await fixture.identity.events().filter { $0.type == "identity.mfa.changed.v1" }
        #expect(events.count == 1 && events[0].subject == "\(UserID(asking.user))" && events[0].data.contains("totp_enrolled"))
        let mail = try #require(try await fixture.credentials.mails().last)
        #expect(mail.purpose == .mfaChanged && mail.content.details?.change == .totpAdded)
        // No event says the secret or a code.
        let texts = try await fixture.identity.events().map(\.data).joined()
        #expect(!texts.contains(enrolment.secret) && codes.allSatisfy { !texts.contains($0.shown) })
    }

    @Test func `ID-15: the code that confirmed the enrolment does not sign in as well`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        let (totp, codes) = try await fixture.withTOTP(asking)
        let verify = fixture.credentials.verifySecondFactor
        await #expect(throws: CredentialRefusal.wrong) {
            try await verify(fixture.credentials.code(totp), of: asking.user, from: CredentialFixture.origin)
        }
        #expect(try await verify(fixture.credentials.code(totp, stepsAhead: 1), of: asking.user, from: CredentialFixture.origin) == .otp)
        #expect(try await verify(codes[3].shown, of: asking.user, from: CredentialFixture.origin) == .recoveryCode)
    }

    @Test func `ID-06: wrong codes of enrolment and of sign-in are counted together`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        let enrolment = try await fixture.enrol(asking, FactorFixture.facts)
        let totp = TOTP(secret: try FactorFixture.bytes(ofBase32: enrolment.secret))
        let key = try await fixture.identity.query("SELECT key_hash FROM devices WHERE user_id = '\(asking.user)'") { try $0.decode([UInt8].self) }[0]
        let device = AttemptOrigin(deviceHash: key, network: "n")
        for attempt in 0..<5 {
            await #expect(throws: CredentialRefusal.wrong) {
                if attempt.isMultiple(of: 2) {
                    _ = try await fixture.confirm(fixture.credentials.code(totp, stepsAhead: 50), asking, FactorFixture.facts)
                } else {
                    _ = try await fixture.credentials.verifySecondFactor("abcdef", of: asking.user, from: device)
                }
            }
        }
        await #expect(throws: CredentialRefusal.blocked(retryAfter: .seconds(30))) {
            try await fixture.confirm(fixture.credentials.code(totp), asking, FactorFixture.facts)
        }
    }

    @Test func `enrolment needs a fresh sign-in, and the factor that there is; removal and new codes need that factor, fresh`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        fixture.identity.clock.advance(by: .seconds(301))
        await #expect(throws: Self.fresh) { try await fixture.enrol(asking, FactorFixture.facts) }
        fixture.identity.clock.advance(by: .seconds(-301))
        _ = try await fixture.withTOTP(asking)
        // The session itself has shown no second factor yet.
        await #expect(throws: Self.freshWithFactor) { try await fixture.enrol(asking, FactorFixture.facts) }
        await #expect(throws: Self.freshWithFactor) { try await fixture.remove(asking, FactorFixture.facts) }
        await #expect(throws: Self.freshWithFactor) { try await fixture.replaceRecoveryCodes(asking, FactorFixture.facts) }
        try await fixture.stepUp(asking)
        fixture.identity.clock.advance(by: .seconds(301))
        await #expect(throws: Self.freshWithFactor) { try await fixture.remove(asking, FactorFixture.facts) }
        try await fixture.stepUp(asking)
        _ = try await fixture.replaceRecoveryCodes(asking, FactorFixture.facts)
        try await fixture.remove(asking, FactorFixture.facts)
    }

    @Test func `removal takes the recovery codes along, ends other sessions, and says so; there is nothing to remove then`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        await #expect(throws: FactorRefusal.notEnrolled) { try await fixture.remove(asking, FactorFixture.facts) }
        await #expect(throws: FactorRefusal.notEnrolled) { try await fixture.replaceRecoveryCodes(asking, FactorFixture.facts) }
        let (_, codes) = try await fixture.withTOTP(asking)
        try await fixture.stepUp(asking)
        let other = try await fixture.otherSession(of: asking)
        try await fixture.remove(asking, FactorFixture.facts)
        #expect(try await !fixture.isAlive(other))
        #expect(try await fixture.identity.count("totp_credentials") == 0)
        #expect(try await fixture.identity.count("recovery_codes") == 0)
        #expect(try await fixture.generation(of: asking.user) == 3)
        #expect(try await fixture.credentials.mails().last?.content.details?.change == .totpRemoved)
        await #expect(throws: CredentialRefusal.wrong) {
            try await fixture.credentials.verifySecondFactor(codes[0].shown, of: asking.user, from: CredentialFixture.origin)
        }
        await #expect(throws: FactorRefusal.notEnrolled) { try await fixture.remove(asking, FactorFixture.facts) }
    }

    @Test func `the second factor stays while the password is too short to be alone`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn(password: "8 chars!")
        _ = try await fixture.withTOTP(asking)
        try await fixture.stepUp(asking)
        await #expect(throws: FactorRefusal.passwordTooShort) { try await fixture.remove(asking, FactorFixture.facts) }
        #expect(try await fixture.identity.count("totp_credentials") == 1)
    }

    @Test func `new recovery codes void the old ones, and end no session`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        let (_, old) = try await fixture.withTOTP(asking)
        try await fixture.stepUp(asking)
        let other = try await fixture.otherSession(of: asking)
        let new = try await fixture.replaceRecoveryCodes(asking, FactorFixture.facts)
        #expect(Set(new).isDisjoint(with: old) && Set(new).count == RecoveryCode.count)
        #expect(try await fixture.credentials.mails().last?.content.details?.change == .recoveryCodesReplaced)
        #expect(try await fixture.isAlive(other))
        let verify = fixture.credentials.verifySecondFactor
        await #expect(throws: CredentialRefusal.wrong) { try await verify(old[0].shown, of: asking.user, from: CredentialFixture.origin) }
        #expect(try await verify(new[0].shown, of: asking.user, from: CredentialFixture.origin) == .recoveryCode)
    }

    @Test func `a new secret takes the place of the old one only with its first code, and waits for it a quarter of an hour`() async throws {
        let fixture = try await FactorFixture()
        let asking = try await fixture.signedIn()
        let (old, _) = try await fixture.withTOTP(asking)
        try await fixture.stepUp(asking)
        let abandoned = try await fixture.enrol(asking, FactorFixture.facts)
        fixture.identity.clock.advance(by: .seconds(900))
        let late = TOTP(secret: try FactorFixture.bytes(ofBase32: abandoned.secret))
        await #expect(throws: FactorRefusal.notEnrolled) {
            try await fixture.confirm(fixture.credentials.code(late), asking, FactorFixture.facts)
        }
        #expect(
            try await fixture.credentials.verifySecondFactor(fixture.credentials.code(old), of: asking.user, from: CredentialFixture.origin) == .otp)
        try await fixture.stepUp(asking)
        let (new, _) = try await fixture.withTOTP(asking)
        await #expect(throws: CredentialRefusal.wrong) {
            try await fixture.credentials.verifySecondFactor(
                fixture.credentials.code(old, stepsAhead: 1), of: asking.user, from: CredentialFixture.origin)
        }
        #expect(
            try await fixture.credentials.verifySecondFactor(
                fixture.credentials.code(new, stepsAhead: 1), of: asking.user, from: CredentialFixture.origin) == .otp)
        #expect(try await fixture.identity.count("totp_credentials") == 1)
    }
}
