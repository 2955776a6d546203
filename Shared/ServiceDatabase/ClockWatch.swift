internal import Concurrency
internal import Logging
package import Postgres
internal import ServiceLifecycle

/// Reads the server's clock at the start and then regularly, so that a clock that is wrong shows without traffic, and a step that stays
/// is confirmed.
package struct ClockWatch: Service {
    static let pause = Duration.seconds(10)

    private let witness: ClockWitness
    private let pool: PostgresPool

    package init(_ witness: ClockWitness, pool: PostgresPool) {
        self.witness = witness
        self.pool = pool
    }

    package func run() async throws {
        // A database that is away is others' news, and the witness logs what it does not believe.
        await Periodic.run(every: Self.pause, startsAtOnce: true) { try? await look() }
    }

    /// Reads the clock once.
    ///
    /// - Throws: ``ClockDisagreement``; `PostgresError`.
    package func look() async throws {
        try await pool.withSession { session in try witness.check(session) }
    }
}
