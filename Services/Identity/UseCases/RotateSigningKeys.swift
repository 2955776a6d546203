import AccessTokens
import Contracts
import Crypto
import FoundationEssentials
import Postgres
import ServiceDatabase

/// Makes the signing key that is due, once for all replicas, or one that an operator asks for.
///
/// A key's times outlive the moment at which a clock was wrong: nothing is made by one that the database's server contradicts.
struct RotateSigningKeys: Sendable {
    enum Occasion: Sendable, Hashable {
        /// Whatever the schedule says.
        case schedule
        /// Now, with the time that everybody needs to get to know it.
        case early
        /// At once, and everything that was signed before is void.
        case emergency
    }

    private let pool: PostgresPool
    private let box: SecretBox
    private let schedule: SigningKeySchedule
    private let clock: ClockWitness
    private let now: @Sendable () -> Timestamp
    private let store = SigningKeyStore()

    init(
        pool: PostgresPool, box: SecretBox, schedule: SigningKeySchedule = .standard, clock: ClockWitness, now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.box = box
        self.schedule = schedule
        self.clock = clock
        self.now = now
    }

    /// - Returns: the new key's id and times; nil when none is due.
    /// - Throws: `ClockDisagreement`, `PostgresError`, or what sealing throws.
    @discardableResult
    func callAsFunction(_ occasion: Occasion = .schedule) async throws -> (id: String, life: SigningKeyLife)? {
        // Nearly always nothing is due, and nobody waits for a lock to find out.
        if occasion == .schedule {
            let lives = try await pool.withSession { session in try store.all(session).map(\.life) }
            guard schedule.due(after: lives, at: now()) != nil else { return nil }
        }
        return try await pool.withTransaction { session in
            try store.lock(session)
            try clock.check(session)
            let (lives, now) = (try store.all(session).map(\.life), now())
            let life: SigningKeyLife
            switch occasion {
            case .schedule:
                guard let due = schedule.due(after: lives, at: now) else { return nil }
                life = due
            case .early: life = lives.isEmpty ? schedule.immediate(at: now) : schedule.early(at: now)
            case .emergency:
                _ = try store.deleteAll(session)
                life = schedule.immediate(at: now)
            }
            let key = try SigningKey.make(life, box)
            try store.insert(session, key, at: now)
            return (key.id, life)
        }
    }
}
