import Postgres
import TestSupport
import Testing

@testable import WalletLedger

@Suite("A writer that loses its connection", .onEachDatabasePath)
struct LedgerConnectionTests {
    private static let kills = 6

    @Test("backends ended under a storm: what was acknowledged exists once, the rest resolves by repeating its key")
    func terminated() async throws {
        let fixture = try await MoneyFixture()
        let storm = try await MoneyStorm(fixture)
        let killed = try await storm.rage { progress in try await Self.terminateBackends(of: fixture, progress) }
        #expect(killed >= Self.kills)
        try await storm.reckon(fixture)
    }

    /// Ends a backend that is in a transaction, again and again while the storm goes on.
    private static func terminateBackends(of fixture: MoneyFixture, _ progress: MoneyStorm.Progress) async throws -> Int {
        let connection = try await fixture.database.server.superuserConnection()
        var killed = 0
        while killed < kills || !progress.isHalfOver {
            guard !progress.isOver else { break }
            guard killed < kills * 2 else {
                _ = try await eventually { progress.isHalfOver || progress.isOver }
                continue
            }
            let name = fixture.database.name
            let ended: Int64 = try await connection.withSession { session in
                try session.query(
                    """
                    SELECT count(pg_terminate_backend(pid)) FROM (
                        SELECT pid FROM pg_stat_activity WHERE datname = \(name) AND xact_start IS NOT NULL
                        ORDER BY random() LIMIT 1) busy
                    """)[0].decode(Int64.self)
            }
            killed += Int(ended)
        }
        await connection.close()
        return killed
    }
}
