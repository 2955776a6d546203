import Contracts
import Foundation
import Logging
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// Every caller of the queue is answered at its deadline, whatever the writers and Postgres do.
@Suite("Postings and their deadlines", .timeLimit(.minutes(5)))
struct LedgerDeadlineTests {
    private static func request(within duration: Duration) -> PostingRequest {
        let transfer = MoneyFixture.transfer(MoneyFixture.newWalletID(), MoneyFixture.newWalletID(), 1)
        return PostingRequest(
            order: transfer.order, key: transfer.key, fingerprint: transfer.fingerprint, requestID: transfer.requestID, deadline: .now + duration)
    }

    /// Posts, and gives up after long where nothing is answered, so that the test fails rather than hangs.
    private static func post(_ requests: [PostingRequest], to queue: PostingQueue) async throws -> (outcomes: [PostingOutcome], isInTime: Bool) {
        let caller = Task { await queue.post(requests) }
        let rescuer = rescue(after: .seconds(20)) { caller.cancel() }
        let outcomes = await caller.value
        rescuer.cancel()
        return (outcomes, try await !rescuer.value)
    }

    @Test("a request that no writer takes is withdrawn at its deadline")
    func notTaken() async throws {
        let queue = PostingQueue(batchLimit: 8, writers: 1)
        // After the first the queue's look-out has ended, or is about to; later ones are looked after as well.
        for milliseconds in [100, 20, 20, 20] {
            let (outcomes, isInTime) = try await Self.post([Self.request(within: .milliseconds(milliseconds))], to: queue)
            #expect(outcomes == [.failed(.unavailable)])
            #expect(isInTime)
            #expect(queue.depth == 0)
        }
    }

    @Test("of a request that a writer has taken and not answered, the outcome is unknown at its deadline; a late answer changes nothing")
    func taken() async throws {
        let queue = PostingQueue(batchLimit: 1, writers: 1)
        // The second waits behind the first.
        async let posted = Self.post([Self.request(within: .seconds(2)), Self.request(within: .seconds(2))], to: queue)
        #expect(try await eventually { queue.depth == 2 })
        let batch = try #require(queue.take(writer: 0, beforeWaiting: {}))
        #expect(batch.count == 1)
        let (outcomes, isInTime) = try await posted
        #expect(outcomes == [.failed(.outcomeUnknown), .failed(.unavailable)])
        #expect(isInTime)
        batch[0].resume(returning: .failed(.internalError))
        queue.finished(writer: 0, count: 1, seconds: 0)
        #expect(queue.depth == 0)
    }

    @Test("a cancelled caller is answered at once: withdrawn when not taken, unknown when taken")
    func cancelled() async throws {
        let queue = PostingQueue(batchLimit: 1, writers: 1)
        let caller = Task { await queue.post([Self.request(within: .seconds(600)), Self.request(within: .seconds(600))]) }
        #expect(try await eventually { queue.depth == 2 })
        let batch = try #require(queue.take(writer: 0, beforeWaiting: {}))
        caller.cancel()
        #expect(await caller.value == [.failed(.outcomeUnknown), .failed(.unavailable)])
        batch[0].resume(returning: .failed(.internalError))
    }

    @Test("Postgres is frozen: callers are answered at their deadlines, the writer ends, and after the thaw repeats find one posting each")
    func frozen() async throws {
        for isPooled in [false, true] {
            try await PostgresServer.withSeparate { server in
                let fixture = try await isPooled ? MoneyFixture(through: server.pooler(), of: server) : MoneyFixture(server: server)
                let (source, destination) = (try await fixture.openWallet(), try await fixture.openWallet())
                _ = try await fixture.post([MoneyFixture.deposit(source, 100)])
                let queue = PostingQueue(batchLimit: 8, writers: 1)
                let writer = BatchWriter(
                    queue: queue, configuration: fixture.configuration, writers: 1, clock: fixture.clock, logger: Logger(label: "test"))
                let writing = Task { try await writer.run() }
                func transfer(_ key: String) async -> PostingOutcome {
                    let request = MoneyFixture.transfer(source, destination, 1, key: key)
                    return await queue.post(
                        PostingRequest(
                            order: request.order, key: request.key, fingerprint: request.fingerprint, requestID: request.requestID,
                            deadline: .now + .seconds(2)))
                }
                #expect(await transfer("before").postedID != nil)
                let (outcomes, isFrozen) = try await server.whileFrozen {
                    // One that the writer takes, and others that come while it is at work.
                    async let first = transfer("0")
                    _ = try await eventually { queue.depth == 0 }
                    async let second = transfer("1")
                    async let third = transfer("2")
                    let outcomes = await [first, second, third]
                    writing.cancel()
                    try await writing.value
                    return outcomes
                }
                #expect(isFrozen)
                #expect(outcomes.allSatisfy { $0 == .failed(.outcomeUnknown) || $0 == .failed(.unavailable) }, "\(outcomes)")
                let repeated = try await fixture.reconnected().withReplicas(1) { queues in
                    await queues[0].post((0..<3).map { MoneyFixture.transfer(source, destination, 1, key: "\($0)") })
                }
                #expect(repeated.allSatisfy { $0.postedID != nil }, "\(repeated)")
                #expect(try await fixture.reconnected().balance(destination) == 4)
            }
        }
    }
}
