import AMQP
import Outbox
import Postgres
import ServiceRuntime

/// Publishes parked events once more, past the relay: their keys went on without them.
///
/// Each is claimed for a minute, so that two operators don't publish it twice. An end in the middle leaves it parked, and claimed until the
/// minute is over; then it may have been published and comes again, which consumers recognize by its id.
struct ReplayParked {
    struct Failure: Sendable, Hashable {
        let id: Int64
        let reason: String
    }

    struct Result: Sendable, Hashable {
        var published = 0
        var failures: [Failure] = []
        /// In another's hands, or settled by another since they were selected.
        var taken = 0

        /// Whether everything that was asked for is done.
        var isSuccess: Bool { failures.isEmpty && taken == 0 }
    }

    private static let claim = 60.0
    private static let pageSize = 100

    let source: String
    let pool: PostgresPool
    let publisher: AMQPPublisher

    /// - Parameter progress: Told after each page.
    /// - Throws: `PostgresError`.
    func run(_ parked: [HeldStore.Summary], progress: (Result) -> Void) async throws -> Result {
        var result = Result()
        var rest = parked.map(\.id)[...]
        let store = HeldStore()
        while !rest.isEmpty {
            let page = Array(rest.prefix(Self.pageSize))
            rest = rest.dropFirst(page.count)
            let claimed = try await pool.withSession { session in try store.claimParked(session, ids: page, for: Self.claim) }
            result.taken += page.count - claimed.count
            let outcomes = await publisher.publish(claimed.map { $0.row.publication(from: source) })
            let pairs = zip(claimed, outcomes)
            let published = pairs.filter { $1 == .confirmed }.map(\.0.row.id)
            let failed = pairs.filter { $1 != .confirmed }.map { Failure(id: $0.row.id, reason: Self.reason($1)) }
            try await pool.withTransaction { session in
                try store.published(session, ids: published)
                try store.failed(session, ids: failed.map(\.id), reasons: failed.map(\.reason))
            }
            result.published += published.count
            result.failures += failed
            progress(result)
        }
        return result
    }

    private static func reason(_ outcome: PublishOutcome) -> String {
        switch PublishVerdict(outcome) {
        case .failed(let reason, _), .refused(let reason), .suspect(let reason): reason
        case .again, .published: "not confirmed in time"
        }
    }
}
