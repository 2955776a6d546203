import Contracts
import Foundation
import Idempotency
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import WalletLedger

/// Many callers that post through two replicas while something is broken under them, and the reckoning afterwards.
struct MoneyStorm {
    private static let workers = 32
    private static let steps = 30

    /// What was asked for and what was answered.
    fileprivate final class Journal: Sendable {
        typealias Line = (request: PostingRequest, outcome: PostingOutcome)
        private let lines = Mutex<[Line]>([])

        var results: [Line] { lines.withLock { $0 } }

        func append(_ request: PostingRequest, _ outcome: PostingOutcome) { lines.withLock { $0.append((request, outcome)) } }
    }

    /// How far the storm is; a disturbance ends by itself when it is over.
    struct Progress: Sendable {
        private let journal: Journal

        fileprivate init(_ journal: Journal) { self.journal = journal }

        /// Postings that were answered with success.
        var postings: Int { journal.results.count(where: { $0.outcome.postedID != nil }) }
        var isHalfOver: Bool { journal.results.count >= MoneyStorm.workers * MoneyStorm.steps / 2 }
        var isOver: Bool { journal.results.count >= MoneyStorm.workers * MoneyStorm.steps }
    }

    let fixture: MoneyFixture
    private let source: WalletID
    private let destination: WalletID
    private let journal = Journal()

    init(_ fixture: MoneyFixture) async throws {
        self.fixture = fixture
        source = try await fixture.openWallet()
        destination = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(source, 1_000_000)])
    }

    /// Returns when every caller has its answers.
    /// - Returns: how often the disturbance says that it has struck.
    func rage(disturbedBy disturb: @escaping @Sendable (Progress) async throws -> Int) async throws -> Int {
        let (source, destination, journal) = (source, destination, journal)
        return try await fixture.withReplicas(2) { queues in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<Self.workers {
                    group.addTask {
                        for step in 0..<Self.steps {
                            let request = MoneyFixture.transfer(source, destination, 1, key: "\(worker)-\(step)")
                            let outcome = await queues[worker % 2].post(request)
                            journal.append(request, outcome)
                        }
                        return 0
                    }
                }
                group.addTask { try await disturb(Progress(journal)) }
                return try await group.reduce(0, +)
            }
        }
    }

    /// Repeats every request: what was acknowledged exists once, the rest resolves now at the latest.
    /// - Parameter fixture: the same ledger, with connections that work.
    func reckon(_ fixture: MoneyFixture) async throws {
        let results = journal.results
        #expect(results.count == Self.workers * Self.steps)
        var posted = Set<TransferID>()
        for (request, outcome) in results {
            let repeated = try await fixture.post([
                PostingRequest(
                    order: .posting(
                        .transfer(
                            TransferRequest(sourceWalletID: source, destinationWalletID: destination, money: MoneyFixture.money(1)),
                            id: MoneyFixture.newTransferID(), access: .user(MoneyFixture.owner))), key: request.key, fingerprint: request.fingerprint,
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
            try session.query("SELECT count(*) FROM transfers WHERE kind = 1")[0].decode(Int64.self)
        }
        #expect(rows == Int64(results.count))
        #expect(try await fixture.balance(destination) == Int64(results.count))
        #expect(try await fixture.verify().findings == [])
    }
}

extension PostingOutcome {
    /// The same answer as a repeat gets it.
    var asReplay: PostingOutcome {
        if case .posted(let body, _) = self { .posted(body, isReplay: true) } else { self }
    }
}
