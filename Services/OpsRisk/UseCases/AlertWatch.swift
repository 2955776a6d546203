import Concurrency
import Logging
import Postgres
import ServiceLifecycle

/// Counts what waits for an operator, for the metrics.
struct AlertWatch: Service {
    private static let pause = Duration.seconds(15)

    let pool: PostgresPool
    let metrics: OpsRiskMetrics
    let logger: Logger

    func run() async throws {
        var isFailing = false
        await Periodic.run(every: Self.pause, startsAtOnce: true) {
            do {
                try await look()
                isFailing = false
            } catch {
                // While the database is away, the last count stays.
                if !isFailing { logger.warning("alerts can't be counted", metadata: ["error": "\(error)"]) }
                isFailing = true
            }
        }
    }

    func look() async throws {
        metrics.tell(try await pool.withSession { session in try AlertStore().counts(session) })
    }
}
