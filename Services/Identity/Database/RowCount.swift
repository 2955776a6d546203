import Contracts
import Outbox
import Postgres

/// How many rows a table has, and since when the oldest.
struct RowCount: Sendable {
    var rows: Int64 = 0
    var oldest: Timestamp?

    /// - Throws: `PostgresError`.
    static func of(_ table: ProviderMetrics.Rows, _ session: PostgresSession) throws -> RowCount {
        let found = try session.query("SELECT count(*), min(created_at) FROM \(unsafeSQL: table.rawValue)")
        let (count, oldest) = try found[0].decode(Int64.self, PostgresTimestamp?.self)
        return RowCount(rows: count, oldest: oldest.map(Timestamp.init))
    }
}
