import Contracts
import Foundation
import Idempotency
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

@Suite("Two replicas side by side", .onEachDatabasePath)
struct LedgerReplicaTests {
    private static func post(_ requests: [PostingRequest], _ queues: [PostingQueue]) async -> [PostingOutcome] {
        await withTaskGroup(of: (Int, PostingOutcome).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, await queues[index % queues.count].post(request)) }
            }
            return await group.reduce(into: [(Int, PostingOutcome)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test("partial refunds that race never give back more than the original", arguments: [1, 2])
    func refunds(_ replicas: Int) async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 100), MoneyFixture.deposit(b, 1_000)])
        let original = try #require(try await fixture.post([MoneyFixture.transfer(a, b, 100)])[0].postedID)
        var requests: [PostingRequest] = []
        for _ in 0..<32 { requests.append(try await fixture.refund(of: original, 7)) }
        let racing = requests
        let outcomes = try await fixture.withReplicas(replicas) { await Self.post(racing, $0) }
        #expect(outcomes.count(where: { $0.postedID != nil }) == 14)
        #expect(outcomes.count(where: { $0.refusal == .refundExceedsOriginal }) == 18)
        #expect(try await fixture.balance(a) == 98)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a reference that both replicas post is one transfer's, and the others are told which")
    func reference() async throws {
        let fixture = try await MoneyFixture()
        var pairs: [(WalletID, WalletID)] = []
        // Wallets of their own, so that no lock puts the requests in order.
        for _ in 0..<8 { pairs.append((try await fixture.openWallet(), try await fixture.openWallet())) }
        _ = try await fixture.post(pairs.map { MoneyFixture.deposit($0.0, 10) })
        let requests = pairs.map { MoneyFixture.transfer($0.0, $0.1, 1, reference: "invoice-1") }
        let outcomes = try await fixture.withReplicas(2) { await Self.post(requests, $0) }
        let posted = outcomes.compactMap(\.postedID)
        #expect(posted.count == 1)
        let conflicts = outcomes.compactMap { outcome -> TransferID? in
            if case .refused(let refusal, _, _) = outcome, refusal.rejection == .referenceExists { refusal.conflict } else { nil }
        }
        #expect(conflicts.count == 7 && Set(conflicts) == Set(posted))
        #expect(try await fixture.verify().findings == [])
    }

    @Test("one key on other wallets is another request, whichever replica sees it, and moves nothing")
    func reusedKey() async throws {
        let fixture = try await MoneyFixture()
        var pairs: [(WalletID, WalletID)] = []
        for _ in 0..<8 { pairs.append((try await fixture.openWallet(), try await fixture.openWallet())) }
        _ = try await fixture.post(pairs.map { MoneyFixture.deposit($0.0, 10) })
        let requests = pairs.map { MoneyFixture.transfer($0.0, $0.1, 1, key: "one") }
        let outcomes = try await fixture.withReplicas(2) { await Self.post(requests, $0) }
        #expect(outcomes.count(where: { $0.postedID != nil }) == 1)
        #expect(outcomes.count(where: { $0 == .keyReused(pointer: "/source_wallet_id") }) == 7)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a refusal is repeated as it was first given, also when it would be accepted by now")
    func refusalKept() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        let first = MoneyFixture.transfer(a, b, 5, key: "kept")
        let refused = PostingOutcome.refused(Refusal(.insufficientFunds), requestID: first.requestID, isReplay: false)
        #expect(try await fixture.post([first]) == [refused])
        _ = try await fixture.post([MoneyFixture.deposit(a, 100)])
        let again = try await fixture.post([MoneyFixture.transfer(a, b, 5, key: "kept")])
        #expect(again == [.refused(Refusal(.insufficientFunds), requestID: first.requestID, isReplay: true)])
        #expect(try await fixture.balance(a) == 100)
    }

    @Test("two batches that change one wallet wait for each other: versions follow without a gap")
    func versions() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let b = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1_000)])
        let requests = (0..<400).map { MoneyFixture.transfer($0.isMultiple(of: 3) ? b : a, $0.isMultiple(of: 3) ? a : b, 1) }
        let outcomes = try await fixture.withReplicas(2) { await Self.post(requests, $0) }
        #expect(!outcomes.contains { if case .failed = $0 { true } else { false } })
        let posted = outcomes.count(where: { $0.postedID != nil })
        let versions = try await fixture.pool.withSession { session in
            try session.query("SELECT version FROM entries WHERE wallet_id = \(a.uuid) ORDER BY version").map { row in
                try row.decode(Int64.self)
            }
        }
        #expect(versions == Array(1...Int64(posted + 1)))
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a batch takes its locks in the order of ids: while it waits for the first wallet it holds none of the others")
    func lockOrder() async throws {
        let fixture = try await MoneyFixture()
        let wallets = [try await fixture.openWallet(), try await fixture.openWallet()].sorted()
        let (first, last) = (wallets[0], wallets[1])
        _ = try await fixture.post([MoneyFixture.deposit(last, 10)])
        let holder = try await PostgresConnection.connect(fixture.configuration)
        let (locked, announcement) = AsyncStream<Void>.makeStream()
        async let isLastFree: Bool = holder.withSession { session in
            defer { announcement.finish() }
            try session.begin()
            try session.execute("SELECT FROM wallets WHERE id = \(first.uuid) FOR UPDATE")
            announcement.yield()
            var waiting: Int64 = 0
            let deadline = ContinuousClock.now + .seconds(5)
            while waiting == 0, .now < deadline {
                waiting = try session.query(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")[0].decode(Int64.self)
            }
            #expect(waiting == 1)
            return try session.query("SELECT FROM wallets WHERE id = \(last.uuid) FOR UPDATE SKIP LOCKED").count == 1
        }
        for await _ in locked { break }
        // The one that comes last in the order of ids is named first.
        let outcomes = try await fixture.post([MoneyFixture.transfer(last, first, 1)])
        #expect(try await isLastFree)
        #expect(outcomes[0].postedID != nil)
        await holder.close()
    }
}
