import AccessTokens
import Contracts
import Crypto
import EncryptionKeys
import Foundation
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import StrictJSON
import Testing

@testable import Identity

@Suite("Signing keys")
struct SigningKeyTests {
    private static func life(_ publish: Int64, _ sign: Int64, _ until: Int64, _ retire: Int64) -> SigningKeyLife {
        func time(_ seconds: Int64) -> Timestamp { Timestamp(microsecondsSinceUnixEpoch: seconds * 1_000_000) }
        return SigningKeyLife(publishAt: time(publish), signFrom: time(sign), signUntil: time(until), retireAt: time(retire))
    }

    private static let hour: Int64 = 3_600
    private static let schedule = SigningKeySchedule(period: .seconds(10 * hour), lead: .seconds(hour), keep: .seconds(20 * hour))

    @Test("ID-29: the next key is published before its turn, for as long as anybody may keep the key set")
    func due() throws {
        let first = try #require(Self.schedule.due(after: [], at: Timestamp(microsecondsSinceUnixEpoch: 0)))
        #expect(first == Self.life(0, 0, 10 * Self.hour, 30 * Self.hour))
        func due(at seconds: Int64, after lives: [SigningKeyLife]) -> SigningKeyLife? {
            Self.schedule.due(after: lives, at: Timestamp(microsecondsSinceUnixEpoch: seconds * 1_000_000))
        }
        #expect(due(at: 9 * Self.hour - 1, after: [first]) == nil)
        let second = try #require(due(at: 9 * Self.hour, after: [first]))
        #expect(second == Self.life(9 * Self.hour, 10 * Self.hour, 20 * Self.hour, 40 * Self.hour))
        #expect(due(at: 9 * Self.hour + 1, after: [first, second]) == nil)
        // After an outage the turn is over, and the new key still waits until it is known.
        let late = try #require(due(at: 15 * Self.hour, after: [first]))
        #expect(late.signFrom.since(late.publishAt) == SigningKeySchedule.leastLead)
        #expect(SigningKeySchedule.leastLead > SigningKeySchedule.documentAge + SigningKeySchedule.readEvery)
        #expect(SigningKeySchedule.standard.keep >= RefreshFamily.lifetime)
    }

    @Test("ID-29: the latest key whose turn has come signs; one without a successor goes on, and none signs before its turn")
    func signing() {
        let (old, new) = (Self.life(0, 0, 100, 1_000), Self.life(50, 100, 200, 2_000))
        func signing(at seconds: Int64, _ lives: [SigningKeyLife]) -> Int? {
            SigningKeySchedule.signing(lives, at: Timestamp(microsecondsSinceUnixEpoch: seconds * 1_000_000))
        }
        #expect(signing(at: 99, [old, new]) == 0)
        #expect(signing(at: 100, [old, new]) == 1)
        #expect(signing(at: 100, [new, old]) == 0)
        #expect(signing(at: 999, [old]) == 0)
        #expect(signing(at: 1_000, [old]) == nil)
        #expect(signing(at: 60, [new]) == nil)
    }

    @Test("of several replicas that find a key due at once, one makes it")
    func once() async throws {
        let fixture = try await ProviderFixture()
        #expect(try await fixture.identity.count("signing_keys") == 1)
        fixture.clock.advance(by: .seconds(29 * 86_400))
        let rotate = RotateSigningKeys(pool: fixture.pool, box: fixture.box, clock: ClockWitness(), now: fixture.now)
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<6 { group.addTask { try await rotate() != nil } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
        #expect(try await fixture.identity.count("signing_keys") == 2)
    }

    @Test("the private half is sealed, and opens for its own row only")
    func sealed() async throws {
        let fixture = try await ProviderFixture()
        let stored = try await fixture.pool.withSession { session in try SigningKeyStore().all(session) }
        let key = try #require(stored.first)
        #expect(throws: (any Error).self) { try fixture.box.open(key.sealedPrivateKey, for: "signing_keys/another") }
        let opened = try fixture.box.open(key.sealedPrivateKey, for: "signing_keys/\(key.id)")
        #expect(try P256.Signing.PrivateKey(rawRepresentation: opened).publicKey.rawRepresentation == Data(key.publicKey))
        // Under another row's id it can't sign, and is published all the same.
        let moved = await SigningKey(
            StoredSigningKey(id: String(repeating: "A", count: 43), publicKey: key.publicKey, sealedPrivateKey: key.sealedPrivateKey, life: key.life),
            fixture.box)
        #expect(!moved.canSign)
        #expect(throws: NoSigningKey.self) { try moved.sign([], as: .access) }
    }

    @Test("ID-29: two replicas rotate under load, and who fetches the key set by its max-age only refuses no token")
    func rotation() async throws {
        let schedule = SigningKeySchedule(period: .seconds(3_600), lead: SigningKeySchedule.leastLead, keep: .seconds(7_200))
        let fixture = try await ProviderFixture(schedule: schedule)
        let other = SigningKeyRing(pool: fixture.pool, box: fixture.box, schedule: schedule, clock: ClockWitness(), now: fixture.now)
        try await other.refresh()
        let replicas = [fixture.provider.keys, other]
        // Who reads the key set as rarely as it may: it has nothing but a document and the time at which it got it.
        var kept = replicas[0].document
        var keptAt = fixture.clock.seconds
        var kids: Set<String> = []
        for step in 0..<1_000 {
            fixture.clock.advance(by: SigningKeySchedule.readEvery)
            // Each replica reads in its own time, at worst as late as it may.
            try await replicas[step % 2].refresh()
            if fixture.clock.seconds - keptAt >= SigningKeySchedule.documentAge.components.seconds {
                (kept, keptAt) = (replicas[(step + 1) % 2].document, fixture.clock.seconds)
            }
            for replica in replicas {
                let token = try replica.sign(Array(#"{"sub":"x"}"#.utf8), as: .access)
                let kid = try #require(try ProviderFixture.parts(token).header["kid"]?.stringValue)
                kids.insert(kid)
                try #require(kept.keys.contains { $0.keyID == kid }, "step \(step)")
            }
        }
        #expect(kids.count >= 4)
    }

    @Test("an emergency withdraws every key at once: what they signed is refused, and a new one signs")
    func emergency() async throws {
        let fixture = try await ProviderFixture()
        let client = ProviderFixture.client("machine", grants: [.clientCredentials], scopes: ["ledger:read"])
        let before = try IssueClientToken(mint: fixture.mint)(scope: nil, client: client).accessToken
        let now = fixture.clock.seconds
        _ = try await fixture.provider.verifiers.verify(before, audience: "florin-api", now: now)
        try await RotateSigningKeys(pool: fixture.pool, box: fixture.box, clock: ClockWitness(), now: fixture.now)(.emergency)
        try await fixture.provider.keySet.refresh(now: now + 60)
        await #expect(throws: TokenRejection.invalid(.unknownKey)) {
            _ = try await fixture.provider.verifiers.verify(before, audience: "florin-api", now: now)
        }
        let after = try IssueClientToken(mint: fixture.mint)(scope: nil, client: client).accessToken
        #expect(try await fixture.provider.verifiers.verify(after, audience: "florin-api", now: now).clientID == "machine")
        #expect(fixture.provider.keys.document.keys.count == 1)
    }

    @Test("keys are deleted once they are retired, and not before")
    func purge() async throws {
        let fixture = try await ProviderFixture()
        func purge() async throws -> Int {
            let now = fixture.clock.now
            return try await fixture.pool.withTransaction { session in try ExpiringRows.signingKeys.purge(session, at: now, atMost: 10) }
        }
        fixture.clock.advance(by: .seconds(120 * 86_400))
        #expect(try await purge() == 0)
        fixture.clock.advance(by: .seconds(1))
        #expect(try await purge() == 1)
    }

    /// A process whose clock is that much ahead of the machine's.
    private static func witness(ahead: Int64) -> ClockWitness {
        ClockWitness(wall: { WallClock.microsecondsSinceUnixEpoch() + ahead * 1_000_000 })
    }

    @Test("ID-29: by a clock that the database contradicts no key is made, whoever asks; those of others are still read")
    func clock() async throws {
        let fixture = try await ProviderFixture()
        let step: Int64 = 200 * 86_400
        let ahead: @Sendable () -> Timestamp = { [clock = fixture.clock] in clock.now.adding(seconds: step) }
        let rotate = RotateSigningKeys(pool: fixture.pool, box: fixture.box, clock: Self.witness(ahead: step), now: ahead)
        for occasion in [RotateSigningKeys.Occasion.schedule, .early, .emergency] {
            await #expect(throws: ClockDisagreement.self, "\(occasion)") { try await rotate(occasion) }
        }
        #expect(try await fixture.identity.count("signing_keys") == 1)
        let ring = SigningKeyRing(pool: fixture.pool, box: fixture.box, clock: Self.witness(ahead: -step), now: fixture.now)
        fixture.clock.advance(by: .seconds(29 * 86_400))
        try await ring.refresh()
        #expect(ring.canSign)
        #expect(try await fixture.identity.count("signing_keys") == 1)
        // Once the clocks agree, what is due is made.
        try await fixture.provider.keys.refresh()
        #expect(try await fixture.identity.count("signing_keys") == 2)
    }

    @Test("a keys file that opens none of the signing keys is named at the start; a clock before their time is waited for")
    func start() async throws {
        let fixture = try await ProviderFixture()
        func provider(_ box: SecretBox, behind seconds: Int64 = 0) -> Provider {
            Provider(
                issuer: ProviderFixture.issuer, pool: fixture.pool, box: box, clock: ClockWitness(), metrics: PrometheusRegistry(),
                logger: ProviderFixture.quiet, now: { [clock = fixture.clock] in clock.now.adding(seconds: -seconds) })
        }
        try await provider(fixture.box).prepare()
        let other = SecretBox(try #require(EncryptionKeys([EncryptionKeys.Key(id: "other", secret: SymmetricKey(size: .bits256))])))
        await #expect {
            try await provider(other).prepare()
        } throws: { error in
            (error as? InvalidConfiguration).map { "\($0)".contains("IDENTITY_SECRET_KEYS_FILE") } ?? false
        }
        await #expect(throws: UnreachableDependency.self) { try await provider(fixture.box, behind: 5 * 86_400).prepare() }
        // The way out when the keys are lost.
        try await RotateSigningKeys(pool: fixture.pool, box: other, clock: ClockWitness(), now: fixture.now)(.emergency)
        try await provider(other).prepare()
    }
}
