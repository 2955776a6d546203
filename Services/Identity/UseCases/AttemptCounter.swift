package import Contracts
import Crypto
package import FoundationEssentials
package import Observability
package import Postgres

/// Counts attempts at a secret, whatever the door (ID-06): begun before the secret is looked at, and settled when it was right.
///
/// Only the verifiers call it, so that no door can forget to.
package struct AttemptCounter: Sendable {
    /// What is guessed at.
    package enum Subject: Sendable {
        /// An account by its address, whether it exists or not.
        case address(EmailAddress)
        case user(UUID)

        fileprivate var text: String {
            switch self {
            case .address(let address): "address:\(address.key)"
            case .user(let id): "user:\(id.uuidString)"
            }
        }
    }

    /// An attempt that counts as failed until it is settled.
    package struct Attempt: Sendable {
        let keys: AttemptKeys
        /// Whether no more are taken for a while if it is wrong.
        let isLast: Bool
        let madeAt: Timestamp
    }

    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let metrics: AttemptMetrics
    private let store = AttemptStore()

    package init(pool: PostgresPool, metrics: PrometheusRegistry, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.metrics = AttemptMetrics(metrics)
        self.now = now
    }

    /// - Parameter isKnownDevice: Whether the account knows the device that the attempt comes from.
    /// - Throws: ``CredentialRefusal`` `blocked`; `PostgresError`.
    package func begin(
        _ kind: AttemptKind, on subject: Subject, from origin: AttemptOrigin, isKnownDevice: Bool, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> Attempt {
        let buckets = AttemptOrigin.buckets(isKnownDevice: isKnownDevice).map { bucket in
            (bucket, Self.key(bucket, subject, origin))
        }
        let keys = AttemptKeys(kind: kind, buckets: buckets)
        let now = now()
        let beginning = try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try store.begin(session, keys, at: now)
        }
        switch beginning {
        case .closed(let until):
            metrics.count(kind, .blocked)
            throw CredentialRefusal.blocked(retryAfter: until.since(now))
        case .counted(let isLast):
            metrics.count(kind, .begun)
            return Attempt(keys: keys, isLast: isLast, madeAt: now)
        }
    }

    /// The secret was right.
    ///
    /// - Throws: `PostgresError`.
    package func succeed(_ attempt: Attempt) async throws {
        try await pool.withSession { session in try store.settle(session, attempt.keys, .right) }
        metrics.count(attempt.keys.kind, .right)
    }

    /// The secret was not looked at.
    ///
    /// - Throws: `PostgresError`.
    package func withdraw(_ attempt: Attempt) async throws {
        try await pool.withSession { session in try store.settle(session, attempt.keys, .withdrawn) }
        metrics.count(attempt.keys.kind, .withdrawn)
    }

    /// The table keeps no address and no account's id.
    private static func key(_ bucket: AttemptBucket, _ subject: Subject, _ origin: AttemptOrigin) -> [UInt8] {
        let text =
            switch bucket {
            case .device: "\(subject.text)\n\(Data(origin.deviceHash ?? []).base64EncodedString())"
            case .account: subject.text
            case .network: origin.network
            }
        return Array(SHA256.hash(data: Data(text.utf8)))
    }
}
