import AccessTokens
import Concurrency
import Contracts
import Crypto
import Logging
import Postgres
import ServiceDatabase
import ServiceLifecycle
import Synchronization

/// The signing keys as this process has read them: signs with the one whose turn it is, publishes all, makes the next in time.
///
/// Every replica reads the same times from the database, and none decides anything at its start.
final class SigningKeyRing: Service {
    private let pool: PostgresPool
    private let box: SecretBox
    private let rotate: RotateSigningKeys
    private let now: @Sendable () -> Timestamp
    private let logger: Logger?
    private let store = SigningKeyStore()
    private let keys = Mutex<[SigningKey]>([])

    init(
        pool: PostgresPool, box: SecretBox, schedule: SigningKeySchedule = .standard, clock: ClockWitness, logger: Logger? = nil,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.box = box
        rotate = RotateSigningKeys(pool: pool, box: box, schedule: schedule, clock: clock, now: now)
        self.now = now
        self.logger = logger
    }

    /// Makes the key that is due, and reads all.
    ///
    /// - Throws: `PostgresError`, or what sealing throws; the keys of before stay in use.
    func refresh() async throws {
        do {
            if let made = try await rotate() {
                logger?.info("a signing key was made", metadata: ["kid": "\(made.id)", "signs_from": "\(made.life.signFrom)"])
            }
        } catch let error as ClockDisagreement {
            logger?.warning("a signing key is due and can't be made", metadata: ["error": "\(error)"])
        }
        try await read()
    }

    /// Reads the keys.
    ///
    /// - Throws: `PostgresError`; the keys of before stay in use.
    func read() async throws {
        let stored = try await pool.withSession { session in try store.all(session) }
        let known = keys.withLock { $0 }
        var read: [SigningKey] = []
        for key in stored {
            if let held = known.first(where: { $0.id == key.id && $0.canSign }) {
                read.append(SigningKey(held, life: key.life))
                continue
            }
            let opened = await SigningKey(key, box)
            if !opened.canSign { logger?.error("a signing key does not open under the keys file", metadata: ["kid": "\(key.id)"]) }
            read.append(opened)
        }
        keys.withLock { $0 = read }
    }

    /// Keeps the keys fresh until the process shuts down.
    func run() async throws {
        await Periodic.run(every: SigningKeySchedule.readEvery) {
            do {
                try await refresh()
            } catch {
                logger?.warning("the signing keys can't be read", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Whether a key's turn has come, and none of those opens: the keys file is not the one that they were sealed under.
    var isLocked: Bool { !canSign && SigningKeySchedule.signing(keys.withLock { $0 }.map(\.life), at: now()) != nil }

    var canSign: Bool { SigningKeySchedule.signing(keys.withLock { $0 }.filter(\.canSign).map(\.life), at: now()) != nil }

    /// Seconds until the key in use should be replaced; for metrics.
    var secondsLeft: Double {
        let lives = keys.withLock { $0 }.map(\.life)
        guard let index = SigningKeySchedule.signing(lives, at: now()) else { return 0 }
        return Double(lives[index].signUntil.seconds - now().seconds)
    }

    var publishedCount: Int {
        let now = now()
        return keys.withLock { $0.count { $0.life.isPublished(at: now) } }
    }

    // MARK: what is made of them

    /// The key set (RFC 7517).
    var document: JSONWebKeys {
        let now = now()
        return JSONWebKeys(
            keys: keys.withLock { $0 }.filter { $0.life.isPublished(at: now) }.map { JSONWebKey(keyID: $0.id, x: $0.x, y: $0.y) })
    }

    /// The key set for the process's own verifiers, which read it as others do; a key that is unknown is looked for in the database.
    func keySet() -> JSONWebKeySet {
        JSONWebKeySet(fetch: { [self] in
            try await read()
            return document.wireBytes()
        })
    }

    /// - Throws: ``NoSigningKey``, or what the library throws.
    func sign(_ claims: [UInt8], as type: SigningKey.TokenType) throws -> String {
        let usable = keys.withLock { $0 }.filter(\.canSign)
        guard let index = SigningKeySchedule.signing(usable.map(\.life), at: now()) else { throw NoSigningKey() }
        return try usable[index].sign(claims, as: type)
    }

    /// Whether a key that is still kept signed these bytes.
    func signed(_ bytes: ArraySlice<UInt8>, signature: [UInt8], by kid: String) -> Bool {
        keys.withLock { $0 }.first { $0.id == kid }?.signed(bytes, signature: signature) ?? false
    }
}
