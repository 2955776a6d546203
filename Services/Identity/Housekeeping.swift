import Concurrency
import Contracts
import Logging
import Observability
import Postgres
import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime
import Synchronization

/// What keeps the tables small: a service per kind of row that deletes what is too old, and one that counts.
struct Housekeeping {
    let services: [any Service]

    init(_ database: DatabaseAccess, _ context: ProcessContext, now: @escaping @Sendable () -> Timestamp) {
        let purges = ExpiringRows.all.map { rows in
            RowExpiry(of: rows.table, pool: database.pool, clock: database.clock, logger: context.logger) { session, count in
                try rows.purge(session, at: now(), atMost: count)
            }
        }
        let attempts = RowExpiry(of: "attempts", pool: database.pool, clock: database.clock, logger: context.logger) { session, count in
            try AttemptStore().purge(session, at: now(), atMost: count)
        }
        let watch = TableWatch(ExpiringRows.all, pool: database.pool, metrics: context.metrics, logger: context.logger)
        services = purges + [attempts, watch]
    }
}

/// Measures the tables, for the metrics.
struct TableWatch: Service {
    private static let pause = Duration.seconds(60)

    private let tables: [ExpiringRows]
    private let pool: PostgresPool
    private let logger: Logger
    private let sizes = TableSizes()

    init(_ tables: [ExpiringRows], pool: PostgresPool, metrics: PrometheusRegistry, logger: Logger) {
        // Sessions and families are purged by two columns and counted by one.
        self.tables = tables.reduce(into: []) { kept, rows in if !kept.contains(where: { $0.table == rows.table }) { kept.append(rows) } }
        self.pool = pool
        self.logger = logger
        let sizes = sizes
        for table in self.tables.map(\.table) {
            metrics.observe(
                "identity_table_rows", .gauge, "Rows of a table whose old rows are deleted, as the server's statistics have it.",
                labels: [("table", table)]
            ) { Double(sizes[table]?.rows ?? 0) }
            metrics.observe(
                "identity_table_oldest_age_seconds", .gauge,
                "Seconds since the oldest row of a table ended or was last used, by the column that its purge goes by; 0 without any.",
                labels: [("table", table)]
            ) {
                guard let oldest = sizes[table]?.oldest else { return 0 }
                return max(0, Double(WallClock.microsecondsSinceUnixEpoch() - oldest.microsecondsSinceUnixEpoch) / 1e6)
            }
        }
    }

    func run() async throws {
        var isFailing = false
        await Periodic.run(every: Self.pause, startsAtOnce: true) {
            do {
                try await look()
                isFailing = false
            } catch {
                // While the database is away, the last sizes stay.
                if !isFailing { logger.warning("tables can't be measured", metadata: ["error": "\(error)"]) }
                isFailing = true
            }
        }
    }

    func look() async throws {
        sizes.set(try await pool.withSession { session in try tables.map { try $0.size(session) } })
    }
}

/// The latest sizes, by table.
private final class TableSizes: Sendable {
    private let sizes = Mutex<[String: TableSize]>([:])

    subscript(table: String) -> TableSize? { sizes.withLock { $0[table] } }

    func set(_ latest: [TableSize]) {
        sizes.withLock { sizes in for size in latest { sizes[size.table] = size } }
    }
}
