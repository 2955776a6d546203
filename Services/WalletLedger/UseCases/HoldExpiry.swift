import Concurrency
package import Contracts
import Idempotency
package import Logging
import Metrics
package import Postgres
import ServiceLifecycle

/// Ends holds whose time is over, each as an order of its own under the lock of its wallet.
///
/// Late is safe: from `expires_at` on nothing captures or voids the hold, by the batch's clock. Several replicas may find the same
/// hold; the first under the lock ends it, and the others are refused.
package struct HoldExpiry: Service {
    private static let pause = Duration.seconds(1)
    private static let pageSize = 128

    private let queue: PostingQueue
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let store = HoldStore()
    private let expired = Counter(label: "ledger_holds_expired_total")

    package init(queue: PostingQueue, pool: PostgresPool, now: @escaping @Sendable () -> Timestamp, logger: Logger) {
        self.queue = queue
        self.pool = pool
        self.now = now
        self.logger = logger
    }

    package func run() async throws {
        await Periodic.run(every: Self.pause) {
            do {
                while try await expirePage() == Self.pageSize {}
            } catch {
                logger.warning("holds can't be expired", metadata: ["error": "\(error)"])
            }
        }
    }

    /// - Returns: how many holds were ended; another replica's are not counted.
    @discardableResult
    package func expirePage() async throws -> Int {
        let due = try await pool.withSession { session in try store.expired(session, limit: Self.pageSize) }
        guard !due.isEmpty else { return 0 }
        var random = SystemRandomNumberGenerator()
        let time = now().millisecondsSinceUnixEpoch
        let outcomes = await queue.post(
            due.map { hold in
                PostingRequest(
                    order: .endHold(EndHoldOrder(hold: hold, eventID: .new(milliseconds: time, using: &random), access: nil)), key: nil,
                    fingerprint: RequestFingerprint(stored: ""), requestID: "expiry of \(hold.id)")
            })
        var count = 0
        var failures: [(hold: HoldID, failure: PostingFailure)] = []
        for (hold, outcome) in zip(due, outcomes) {
            switch outcome {
            case .holdEnded: count += 1
            case .failed(let failure): failures.append((hold.id, failure))
            case .posted, .batchPosted, .holdPlaced, .holdCaptured, .refused, .keyReused: break
            }
        }
        if let first = failures.first {
            logger.warning(
                "holds can't be expired",
                metadata: ["holds.count": "\(failures.count)", "ledger.hold": "\(first.hold)", "error": "\(first.failure)"])
        }
        expired.increment(by: count)
        return count
    }
}
