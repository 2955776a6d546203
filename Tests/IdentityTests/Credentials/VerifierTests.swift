import Contracts
import Crypto
import EncryptionKeys
import Foundation
import Observability
import Outbox
import Postgres
import Sealing
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// A database with the verifiers of credentials, at a cost that costs nothing.
struct CredentialFixture {
    static let cost = ScryptCost("ln=4,r=8,p=1")!
    static let dearerCost = ScryptCost("ln=5,r=8,p=2")!
    static let password = "correct horse battery"
    static let origin = AttemptOrigin(deviceHash: nil, network: "192.0.2.0/24")

    let identity: IdentityFixture
    let secrets: SecretBox
    let hasher: PasswordHasher
    let attempts: AttemptCounter
    let messages: RequestMessage
    private let openingKeys: OpeningKeys

    init(hasher: PasswordHasher? = nil) async throws {
        let fixture = try await IdentityFixture()
        identity = fixture
        let key = EncryptionKeys.Key(id: "test", secret: SymmetricKey(size: .bits256))
        secrets = SecretBox(try #require(EncryptionKeys([key])))
        self.hasher = hasher ?? PasswordHasher(cost: Self.cost, threads: 2, waiting: 64, patience: .seconds(60))
        attempts = AttemptCounter(pool: fixture.pool, metrics: PrometheusRegistry(), now: { fixture.clock.now })
        let folder = try TemporaryFolder("sealing")
        let (privatePath, publicPath) = ("\(folder.path)/private.json", "\(folder.path)/public.json")
        try SealingKeyGenerator(privatePath: privatePath, publicPath: publicPath).make(id: "test")
        openingKeys = try OpeningKeys(file: privatePath)
        messages = RequestMessage(sealingTo: try SealingKey(file: publicPath))
    }

    var verifyPassword: VerifyPassword { VerifyPassword(pool: identity.pool, hasher: hasher, attempts: attempts) }
    var verifySecondFactor: VerifySecondFactor {
        VerifySecondFactor(pool: identity.pool, secrets: secrets, attempts: attempts, messages: messages, now: { [identity] in identity.clock.now })
    }

    /// A user with a password.
    func makeUser(_ email: String? = nil, password: String = password, cost: ScryptCost? = nil) async throws -> UUID {
        let user = try await identity.makeUser(email)
        let hasher = cost.map { PasswordHasher(cost: $0, threads: 1, waiting: 1, patience: .seconds(60)) } ?? hasher
        try await identity.give(password, to: user, by: hasher)
        return user
    }

    /// Gives a user a confirmed TOTP.
    func enrol(_ user: UUID) async throws -> TOTP {
        let (id, secret) = (identity.newID(), (0..<TOTP.secretBytes).map { _ in UInt8.random(in: .min ... .max) })
        let sealed = try secrets.seal(secret, for: StoredTOTP.context(id))
        let now = identity.clock.now.stored
        try await identity.execute(
            """
            INSERT INTO totp_credentials (id, user_id, sealed_secret, created_at, confirmed_at)
            VALUES (\(id), \(user), \(sealed), \(now), \(now))
            """)
        return TOTP(secret: secret)
    }

    func makeRecoveryCodes(_ user: UUID) async throws -> [RecoveryCode] {
        var random = SystemRandomNumberGenerator()
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode.new(using: &random) }
        let now = identity.clock.now
        try await identity.pool.withTransaction { session in
            try SecondFactorStore().replace(session, recoveryCodes: codes.map(VerifySecondFactor.hash), of: user, at: now)
        }
        return codes
    }

    /// What mails say that were asked for, in order.
    func mails() async throws -> [(purpose: MessagePurpose, content: MessageContent)] {
        let rows = try await identity.query(
            "SELECT event_id, data FROM outbox_events WHERE type = 'identity.message.requested.v1' ORDER BY id"
        ) { row in try row.decode(UUID.self, String.self) }
        return try rows.map { id, data in
            var object = try JSONObjectReader(JSONParser.parse(Array(data.utf8)))
            let event = try MessageRequestedEvent(reading: &object, type: .requested)
            return (event.purpose, try MessageContent(bytes: try openingKeys.open(event.sealed, boundTo: EventID(id))))
        }
    }

    /// The code that an app shows now.
    func code(_ totp: TOTP, stepsAhead: Int64 = 0) -> String { totp.code(at: TOTP.step(at: identity.clock.now) + stepsAhead) }

    func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }
}

extension IdentityFixture {
    /// Lets a user sign in by password.
    func give(_ password: String, to user: UUID, by hasher: PasswordHasher) async throws {
        let prepared = try PreparedPassword(password)
        let hash = try await hasher.hash(prepared)
        try await execute(
            """
            INSERT INTO passwords (user_id, phc, set_at, is_short)
            VALUES (\(user), \(hash.phc), \(clock.now.stored), \(NewPassword.isShort(prepared)))
            """)
    }
}

@Suite struct VerifyPasswordTests {
    @Test func `the right password tells whose it is and what else they need; by address, however typed, or by id`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser("ana@example.com")
        let verified = try await fixture.verifyPassword(
            CredentialFixture.password, for: try fixture.address(" ANA@Example.com"), from: CredentialFixture.origin, until: nil)
        #expect(verified == VerifiedPassword(user: user, generation: 1, secondFactor: false, isShort: false))
        _ = try await fixture.enrol(user)
        let again = try await fixture.verifyPassword(CredentialFixture.password, of: user, from: CredentialFixture.origin, until: nil)
        #expect(again == VerifiedPassword(user: user, generation: 1, secondFactor: true, isShort: false))
        #expect(try await fixture.identity.count("attempts") == 0)
    }

    @Test func `a wrong password, an unknown account and one without a password are the same, and count the same`() async throws {
        let fixture = try await CredentialFixture()
        _ = try await fixture.makeUser("ana@example.com")
        _ = try await fixture.identity.makeUser("bob@example.com")
        for email in ["ana@example.com", "bob@example.com", "nobody@example.com"] {
            let address = try fixture.address(email)
            for _ in 0..<5 {
                await #expect(throws: CredentialRefusal.wrong) {
                    try await fixture.verifyPassword("wrong horse battery", for: address, from: CredentialFixture.origin, until: nil)
                }
            }
            await #expect(throws: CredentialRefusal.blocked(retryAfter: .seconds(30)), "\(email)") {
                try await fixture.verifyPassword(CredentialFixture.password, for: address, from: CredentialFixture.origin, until: nil)
            }
        }
        #expect(
            try await fixture.identity.query("SELECT failures FROM attempts WHERE bucket = 'account'") { try $0.decode(Int32.self) } == [5, 5, 5])
        // Of those that exist each failure is published, and the last of them says so; of one that does not nothing is.
        let events = try await fixture.identity.events()
        #expect(events.count == 10 && events.allSatisfy { $0.type == "identity.sign_in.failed.v1" && $0.data.contains(#""factor":"password""#) })
        #expect(events.map { $0.data.contains(#""blocked":true"#) } == [false, false, false, false, true, false, false, false, false, true])
        #expect(Set(events.map(\.subject)).count == 2)
    }

    @Test func `ID-16: the unknown account takes the same queue: when it is full it is refused like any other, and nothing was counted`() async throws
    {
        let full = PasswordHasher(cost: CredentialFixture.cost, threads: 0, waiting: 0, patience: .seconds(1))
        let fixture = try await CredentialFixture(hasher: full)
        let ready = try await CredentialFixture()
        _ = try await fixture.identity.makeUser("bob@example.com")
        for email in ["nobody@example.com", "bob@example.com"] {
            let address = try fixture.address(email)
            await #expect(throws: CredentialRefusal.overloaded) {
                try await fixture.verifyPassword(CredentialFixture.password, for: address, from: CredentialFixture.origin, until: nil)
            }
        }
        #expect(try await fixture.identity.count("attempts") == 0 && ready.hasher.statistics.underWay == 0)
    }

    @Test func `a disabled user is told so by the right password only; a deleted one is unknown`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser("ana@example.com")
        let address = try fixture.address("ana@example.com")
        try await fixture.identity.execute("UPDATE users SET status = 'disabled' WHERE id = \(user)")
        await #expect(throws: CredentialRefusal.disabled) {
            try await fixture.verifyPassword(CredentialFixture.password, for: address, from: CredentialFixture.origin, until: nil)
        }
        await #expect(throws: CredentialRefusal.wrong) {
            try await fixture.verifyPassword("wrong horse battery", for: address, from: CredentialFixture.origin, until: nil)
        }
        try await fixture.identity.execute("UPDATE users SET status = 'deleted', email = NULL, email_key = NULL, name = NULL WHERE id = \(user)")
        await #expect(throws: CredentialRefusal.wrong) {
            try await fixture.verifyPassword(CredentialFixture.password, for: address, from: CredentialFixture.origin, until: nil)
        }
        await #expect(throws: CredentialRefusal.wrong) {
            try await fixture.verifyPassword(CredentialFixture.password, of: user, from: CredentialFixture.origin, until: nil)
        }
    }

    @Test func `a hash of another cost is replaced by the next sign-in, and a wrong password replaces nothing`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser("ana@example.com", cost: CredentialFixture.dearerCost)
        func phc() async throws -> String {
            try await fixture.identity.query("SELECT phc FROM passwords WHERE user_id = '\(user)'") { try $0.decode(String.self) }[0]
        }
        let old = try await phc()
        await #expect(throws: CredentialRefusal.wrong) {
            try await fixture.verifyPassword("wrong horse battery", of: user, from: CredentialFixture.origin, until: nil)
        }
        #expect(try await phc() == old)
        _ = try await fixture.verifyPassword(CredentialFixture.password, of: user, from: CredentialFixture.origin, until: nil)
        #expect(try await phc().hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        _ = try await fixture.verifyPassword(CredentialFixture.password, of: user, from: CredentialFixture.origin, until: nil)
    }

    @Test func `ID-11: what was set composed is verified decomposed; a prefix, or more behind a NUL, is not`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser("ana@example.com", password: "p\u{E4}sswort-mit-l\u{E4}nge")
        _ = try await fixture.verifyPassword("pa\u{308}sswort-mit-la\u{308}nge", of: user, from: CredentialFixture.origin, until: nil)
        for wrong in ["p\u{E4}sswort-mit-l\u{E4}ng", "p\u{E4}sswort-mit-l\u{E4}nge\u{0}x", "p\u{E4}sswort-mit-l\u{E4}nge ", ""] {
            await #expect(throws: CredentialRefusal.wrong) {
                try await fixture.verifyPassword(wrong, of: user, from: CredentialFixture.origin, until: nil)
            }
        }
    }

    @Test func `an outsider's guesses lock out no device that the account knows; a device of another account is not known`() async throws {
        let fixture = try await CredentialFixture()
        let (ana, bob) = (try await fixture.makeUser("ana@example.com"), try await fixture.makeUser("bob@example.com"))
        _ = try await fixture.identity.makeSession(of: ana)
        let key = try await fixture.identity.query("SELECT key_hash FROM devices WHERE user_id = '\(ana)'") { try $0.decode([UInt8].self) }[0]
        let known = AttemptOrigin(deviceHash: key, network: CredentialFixture.origin.network)
        for email in ["ana@example.com", "bob@example.com"] {
            let address = try fixture.address(email)
            for _ in 0..<5 {
                await #expect(throws: CredentialRefusal.wrong) {
                    try await fixture.verifyPassword("wrong horse battery", for: address, from: CredentialFixture.origin, until: nil)
                }
            }
        }
        let verified = try await fixture.verifyPassword(
            CredentialFixture.password, for: try fixture.address("ana@example.com"), from: known, until: nil)
        #expect(verified.user == ana)
        await #expect(throws: CredentialRefusal.blocked(retryAfter: .seconds(30))) {
            try await fixture.verifyPassword(CredentialFixture.password, of: bob, from: known, until: nil)
        }
        try await fixture.identity.execute("UPDATE devices SET removed_at = now()")
        await #expect(throws: CredentialRefusal.blocked(retryAfter: .seconds(30))) {
            try await fixture.verifyPassword(CredentialFixture.password, of: ana, from: known, until: nil)
        }
    }
}

@Suite struct VerifySecondFactorTests {
    @Test func `a code is good once, whatever the door, and a repeated one is as wrong as any other`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser()
        let totp = try await fixture.enrol(user)
        let verify = fixture.verifySecondFactor
        #expect(try await verify(fixture.code(totp), of: user, from: CredentialFixture.origin) == .otp)
        for code in [fixture.code(totp), fixture.code(totp, stepsAhead: -1), fixture.code(totp, stepsAhead: 2), "abc", ""] {
            await #expect(throws: CredentialRefusal.wrong) { try await verify(code, of: user, from: CredentialFixture.origin) }
            fixture.identity.clock.advance(by: .milliseconds(1))
        }
    }

    @Test func `a code may be typed as apps show it, in two groups`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser()
        let code = fixture.code(try await fixture.enrol(user))
        let typed = " \(code.prefix(3)) \(code.suffix(3)) "
        #expect(try await fixture.verifySecondFactor(typed, of: user, from: CredentialFixture.origin) == .otp)
    }

    @Test func `ID-15: of many who bring one code at the same time one is let in`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser()
        let code = fixture.code(try await fixture.enrol(user))
        // Each from a device of its own: it is not the counter that refuses.
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<20 {
                let key = Array(repeating: UInt8(index), count: 32)
                try await fixture.identity.execute(
                    """
                    INSERT INTO devices (id, user_id, key_hash, name, app, created_at, last_used_at)
                    VALUES (\(fixture.identity.newID()), \(user), \(key), 'd', 'a', now(), now())
                    """)
                group.addTask {
                    do {
                        _ = try await fixture.verifySecondFactor(code, of: user, from: AttemptOrigin(deviceHash: key, network: "n"))
                        return 1
                    } catch CredentialRefusal.wrong {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 1)
    }

    @Test func `ID-15: of 20 parallel uses of one recovery code one succeeds; the others are good, each once, and none without a TOTP`() async throws
    {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser()
        let codes = try await fixture.makeRecoveryCodes(user)
        let verify = fixture.verifySecondFactor
        await #expect(throws: CredentialRefusal.wrong) { try await verify(codes[0].shown, of: user, from: CredentialFixture.origin) }
        _ = try await fixture.enrol(user)
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<20 {
                let key = Array(repeating: UInt8(index), count: 32)
                try await fixture.identity.execute(
                    """
                    INSERT INTO devices (id, user_id, key_hash, name, app, created_at, last_used_at)
                    VALUES (\(fixture.identity.newID()), \(user), \(key), 'd', 'a', now(), now())
                    """)
                group.addTask {
                    do {
                        let origin = AttemptOrigin(deviceHash: key, network: "n")
                        return try await verify(codes[0].shown.uppercased(), of: user, from: origin) == .recoveryCode ? 1 : 0
                    } catch CredentialRefusal.wrong {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 1)
        #expect(try await verify(codes[1].shown, of: user, from: CredentialFixture.origin) == .recoveryCode)
        // Each use is said to the owner, without the code.
        let mails = try await fixture.mails()
        #expect(mails.count == 2 && mails.allSatisfy { $0.purpose == .mfaChanged && $0.content.details?.change == .recoveryCodeUsed })
        #expect(mails.allSatisfy { $0.content.code == nil })
        await #expect(throws: CredentialRefusal.wrong) { try await verify(codes[1].shown, of: user, from: CredentialFixture.origin) }
    }

    @Test func `a recovery code is used up together with the request for the mail that says so, or not at all`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser("ana@example.com")
        _ = try await fixture.enrol(user)
        let code = try await fixture.makeRecoveryCodes(user)[0]
        let verify = fixture.verifySecondFactor
        var random = SystemRandomNumberGenerator()
        await #expect(throws: CredentialRefusal.wrong) {
            try await verify(RecoveryCode.new(using: &random).shown, of: user, from: CredentialFixture.origin)
        }
        #expect(try await fixture.mails().isEmpty)
        try await fixture.identity.execute("ALTER TABLE outbox_events ADD CONSTRAINT full_disk CHECK (type <> 'identity.message.requested.v1')")
        await #expect(throws: PostgresError.self) { try await verify(code.shown, of: user, from: CredentialFixture.origin) }
        #expect(try await fixture.identity.count("recovery_codes", where: "used_at IS NOT NULL") == 0)
        try await fixture.identity.execute("ALTER TABLE outbox_events DROP CONSTRAINT full_disk")
        #expect(try await verify(code.shown, of: user, from: CredentialFixture.origin) == .recoveryCode)
        let mail = try #require(try await fixture.mails().first)
        #expect(mail.content.address == "ana@example.com" && mail.content.details?.at == fixture.identity.clock.now)
    }

    @Test func `wrong codes are counted: the sixth is not looked at, even if it is right`() async throws {
        let fixture = try await CredentialFixture()
        let user = try await fixture.makeUser()
        let totp = try await fixture.enrol(user)
        let verify = fixture.verifySecondFactor
        for _ in 0..<5 {
            await #expect(throws: CredentialRefusal.wrong) {
                try await verify(fixture.code(totp, stepsAhead: 40), of: user, from: CredentialFixture.origin)
            }
        }
        await #expect(throws: CredentialRefusal.blocked(retryAfter: .seconds(30))) {
            try await verify(fixture.code(totp), of: user, from: CredentialFixture.origin)
        }
        fixture.identity.clock.advance(by: .seconds(30))
        #expect(try await verify(fixture.code(totp), of: user, from: CredentialFixture.origin) == .otp)
        #expect(try await fixture.identity.count("attempts", where: "bucket = 'account'") == 0)
    }

    @Test func `a secret that is moved to another user's row opens for nobody`() async throws {
        let fixture = try await CredentialFixture()
        let (ana, bob) = (try await fixture.makeUser(), try await fixture.makeUser())
        let totp = try await fixture.enrol(ana)
        _ = try await fixture.enrol(bob)
        try await fixture.identity.execute(
            "UPDATE totp_credentials SET sealed_secret = (SELECT sealed_secret FROM totp_credentials WHERE user_id = \(ana)) WHERE user_id = \(bob)")
        await #expect(throws: EncryptionKeys.DoesNotOpen.self) {
            try await fixture.verifySecondFactor(fixture.code(totp), of: bob, from: CredentialFixture.origin)
        }
    }
}
