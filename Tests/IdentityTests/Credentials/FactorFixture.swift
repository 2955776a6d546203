import Contracts
import Foundation
import Outbox
import Postgres
import TestSupport

@testable import Identity

/// Somebody who is signed in and changes what they sign in with.
struct FactorFixture {
    let credentials: CredentialFixture

    init() async throws {
        credentials = try await CredentialFixture()
    }

    var identity: IdentityFixture { credentials.identity }
    var now: @Sendable () -> Timestamp { { [clock = identity.clock] in clock.now } }
    var change: CredentialChange { CredentialChange(pool: identity.pool, messages: credentials.messages, now: now) }
    var changePassword: ChangePassword {
        ChangePassword(
            pool: identity.pool, verify: credentials.verifyPassword, hasher: credentials.hasher, blocklist: PasswordBlocklist(lines: ["sunshine"]),
            change: change, now: now)
    }
    var enrol: EnrolTOTP { EnrolTOTP(pool: identity.pool, secrets: credentials.secrets, now: now) }
    var confirm: ConfirmTOTP {
        ConfirmTOTP(pool: identity.pool, secrets: credentials.secrets, attempts: credentials.attempts, change: change, now: now)
    }
    var remove: RemoveTOTP { RemoveTOTP(change: change) }
    var replaceRecoveryCodes: ReplaceRecoveryCodes { ReplaceRecoveryCodes(change: change) }

    static let facts = RequestFacts(origin: AttemptOrigin(deviceHash: nil, network: "192.0.2.0/24"))

    /// A user with a password, signed in just now.
    func signedIn(_ email: String? = nil, password: String = CredentialFixture.password) async throws -> SignedInUser {
        let user = try await credentials.makeUser(email, password: password)
        return SignedInUser(user: user, session: try await identity.makeSession(of: user))
    }

    /// Another session of the same user, as a second device has it.
    func otherSession(of asking: SignedInUser) async throws -> SignedInUser {
        SignedInUser(user: asking.user, session: try await identity.makeSession(of: asking.user))
    }

    /// Says of the session that its user entered a code just now.
    func stepUp(_ asking: SignedInUser) async throws {
        try await identity.execute(
            """
            UPDATE sessions SET amr = ARRAY['pwd', 'otp'], authenticated_at = \(identity.clock.now.stored),
                second_factor_at = \(identity.clock.now.stored) WHERE id = \(asking.session)
            """)
    }

    /// Enrols and confirms a TOTP.
    func withTOTP(_ asking: SignedInUser) async throws -> (totp: TOTP, codes: [RecoveryCode]) {
        let enrolment = try await enrol(asking, Self.facts)
        let totp = TOTP(secret: try Self.bytes(ofBase32: enrolment.secret))
        return (totp, try await confirm(credentials.code(totp), asking, Self.facts))
    }

    func generation(of user: UUID) async throws -> Int64 {
        try await identity.query("SELECT credential_generation FROM users WHERE id = '\(user)'") { try $0.decode(Int64.self) }[0]
    }

    func isAlive(_ asking: SignedInUser) async throws -> Bool {
        let now = identity.clock.now
        return try await identity.pool.withSession { session in try SessionStore().find(asking.session, of: asking.user, at: now, session) != nil }
    }

    /// RFC 4648, section 6.
    static func bytes(ofBase32 text: String) throws -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let bits = text.flatMap { letter -> [Bool] in
            let value = alphabet.firstIndex(of: letter) ?? 0
            return (0..<5).reversed().map { value >> $0 & 1 == 1 }
        }
        return (0..<bits.count / 8).map { byte in bits[byte * 8..<byte * 8 + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) } }
    }
}
