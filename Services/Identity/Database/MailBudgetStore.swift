package import Contracts
import Crypto
import Outbox
package import Postgres

/// The SQL of mail budgets.
package struct MailBudgetStore: Sendable {
    /// The first key of the advisory locks by which requests line up at an address and a network; the letters MAIL.
    private static let lockSpace: Int32 = 0x4D41_494C

    package init() {}

    private enum Bucket: String {
        case address
        case network
    }

    /// Takes one mail out of both budgets, or leaves both as they are.
    ///
    /// - Parameters:
    ///   - address: The identity key.
    ///   - network: The prefix that the request came from.
    /// - Returns: whether the mail may be sent.
    /// - Throws: `PostgresError`.
    package func take(address: String, network: String, at now: Timestamp, _ session: PostgresSession) throws -> Bool {
        let buckets: [(name: Bucket, key: [UInt8], budget: MailBudget)] = [
            (.address, Self.key(address), .ofAddress), (.network, Self.key(network), .ofNetwork),
        ]
        let locks = Set(buckets.map { Self.lock($0.name, $0.key) }).sorted()
        let results = try session.pipeline(
            ["SELECT pg_advisory_xact_lock(\(Self.lockSpace), key) FROM unnest(\(locks)) AS key"]
                + buckets.map { "SELECT sent_at FROM mail_budgets WHERE bucket = \($0.name.rawValue) AND key = \($0.key)" })
        let sent = try results.dropFirst().map { result in try result.first?.decode([PostgresTimestamp].self).map(Timestamp.init) ?? [] }
        guard zip(buckets, sent).allSatisfy({ $0.budget.allows(after: $1, at: now) }) else { return false }
        _ = try session.pipeline(
            zip(buckets, sent).map { bucket, sent in
                let times = bucket.budget.adding(now, to: sent).map(\.stored)
                return """
                    INSERT INTO mail_budgets (bucket, key, sent_at, last_sent_at)
                    VALUES (\(bucket.name.rawValue), \(bucket.key), \(times), \(now.stored))
                    ON CONFLICT (bucket, key) DO UPDATE SET sent_at = EXCLUDED.sent_at, last_sent_at = EXCLUDED.last_sent_at
                    """
            })
        return true
    }

    private static func key(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// Two with one lock only wait for each other.
    private static func lock(_ bucket: Bucket, _ key: [UInt8]) -> Int32 {
        key.prefix(4).reduce(bucket == .address ? 0 : 1) { $0 &* 256 &+ Int32($1) }
    }
}
