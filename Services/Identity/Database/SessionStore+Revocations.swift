package import Contracts
package import FoundationEssentials
import Outbox
import Postgres

/// A session that ended, by its place in the order in which sessions end.
package struct RevocationPlace: Sendable, Hashable {
    package let endedAt: Timestamp
    package let session: UUID

    package init(endedAt: Timestamp, session: UUID) {
        self.endedAt = endedAt
        self.session = session
    }
}

extension SessionStore {
    /// Sessions that ended then or later, in the order in which they did.
    ///
    /// - Throws: `PostgresError`.
    func ended(
        since time: Timestamp, after last: RevocationPlace?, limit: Int, _ session: PostgresSession
    ) throws -> [RevocationPlace] {
        let place = last ?? RevocationPlace(endedAt: time, session: UUID(high: 0, low: 0))
        return try session.query(
            """
            SELECT ended_at, id FROM sessions
            WHERE ended_at >= \(max(time, place.endedAt).stored) AND (ended_at, id) > (\(place.endedAt.stored), \(place.session))
            ORDER BY ended_at, id LIMIT \(Int64(limit))
            """
        ).map { row in
            let (endedAt, id) = try row.decode(PostgresTimestamp.self, UUID.self)
            return RevocationPlace(endedAt: Timestamp(endedAt), session: id)
        }
    }
}
