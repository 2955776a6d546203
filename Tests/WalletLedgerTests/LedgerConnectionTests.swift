import Contracts
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import WalletLedger

@Suite("A writer that loses its connection")
struct LedgerConnectionTests {
    private static let workers = 32
    private static let steps = 30
    private static let kills = 6

    /// What was asked for and what was answered.
    private final class Journal: Sendable {
        typealias Line = (request: PostingRequest, outcome: PostingOutcome)
        private let lines = Mutex<[Line]>([])

        var results: [Line] { lines.withLock { $0 } }

        func append(_ request: PostingRequest, _ outcome: PostingOutcome) { lines.withLock { $0.append((request, outcome)) } }
    }

    @Test("backends ended under a storm: what was acknowledged exists once, the rest resolves by repeating its key")
    func terminated() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1_000_000)])
        let asked = Journal()
        let killed = try await fixture.withReplicas(2) { queues in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<Self.workers {
                    group.addTask {
                        for step in 0..<Self.steps {
                            let request = MoneyFixture.transfer(a, b, 1, key: "\(worker)-\(step)")
                            let outcome = await queues[worker % 2].post(request)
                            asked.append(request, outcome)
                        }
                        return 0
                    }
                }
                group.addTask { try await Self.terminateBackends(of: fixture, progress: { asked.results.count }) }
                return try await group.reduce(0, +)
            }
        }
        #expect(killed >= Self.kills)
        let results = asked.results
        #expect(results.count == Self.workers * Self.steps)

        var posted = Set<TransferID>()
        for (request, outcome) in results {
            // The same key again: an acknowledged posting is the same one, an unacknowledged one is posted now at the latest.
            let repeated = try await fixture.post([
                PostingRequest(
                    order: .posting(
                        .transfer(
                            TransferRequest(sourceWalletID: a, destinationWalletID: b, money: MoneyFixture.money(1)),
                            id: MoneyFixture.newTransferID(), access: .user(MoneyFixture.owner))), key: request.key, canonical: request.canonical,
                    requestID: "again")
            ])[0]
            let id = try #require(repeated.postedID)
            if let acknowledged = outcome.postedID {
                #expect(id == acknowledged)
                #expect(repeated == outcome.asReplay)
            }
            posted.insert(id)
        }
        #expect(posted.count == results.count)
        let rows: Int64 = try await fixture.pool.withSession { session in
            try session.query("SELECT count(*) FROM transfers WHERE kind = 1")[0].decode(0)
        }
        #expect(rows == Int64(results.count))
        #expect(try await fixture.balance(b) == Int64(results.count))
        #expect(try await fixture.verify().findings == [])
    }

    /// Ends a backend that is in a transaction, again and again while the storm goes on.
    private static func terminateBackends(of fixture: MoneyFixture, progress: @escaping @Sendable () -> Int) async throws -> Int {
        let connection = try await fixture.database.server.superuserConnection()
        var killed = 0
        while killed < kills || progress() < workers * steps / 2 {
            guard progress() < workers * steps else { break }
            guard killed < kills * 2 else {
                try await Task.sleep(for: .milliseconds(5))
                continue
            }
            let name = fixture.database.name
            let ended: Int64 = try await connection.withSession { session in
                try session.query(
                    """
                    SELECT count(pg_terminate_backend(pid)) FROM (
                        SELECT pid FROM pg_stat_activity WHERE datname = \(name) AND xact_start IS NOT NULL
                        ORDER BY random() LIMIT 1) busy
                    """)[0].decode(0)
            }
            killed += Int(ended)
        }
        await connection.close()
        return killed
    }
}

extension PostingOutcome {
    /// The same answer as a repeat gets it.
    var asReplay: PostingOutcome {
        if case .posted(let body, _) = self { .posted(body, isReplay: true) } else { self }
    }
}
