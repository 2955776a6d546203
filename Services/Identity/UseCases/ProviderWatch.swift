import Concurrency
import Logging
import Postgres
import ServiceLifecycle

/// Tells the metrics once a minute how many rows there are, and how old.
struct ProviderWatch: Service {
    private static let pause = Duration.seconds(60)

    let pool: PostgresPool
    let metrics: ProviderMetrics
    let logger: Logger

    func run() async throws {
        await Periodic.run(every: Self.pause, startsAtOnce: true) {
            do {
                try await look()
            } catch {
                logger.warning("rows can't be counted", metadata: ["error": "\(error)"])
            }
        }
    }

    /// - Throws: `PostgresError`.
    func look() async throws {
        for rows in ProviderMetrics.Rows.allCases {
            let count = try await pool.withSession { session in try RowCount.of(rows, session) }
            metrics.tell(rows, count)
        }
    }
}
