import AMQP
import Contracts
import EventBroker
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
        let eventID: EventID
        let reason: String
    }

    struct Result: Sendable, Hashable {
        var published = 0
        var failures: [Failure] = []
        /// In another's hands, or settled by another since they were selected.
        var taken = 0
        /// Left as they were, because the broker took nothing any more.
        var left = 0
        /// Not without force: consumers may have forgotten that they applied them.
        var tooOld: [HeldStore.Summary] = []

        /// Whether everything that was asked for is done.
        var isSuccess: Bool { failures.isEmpty && taken == 0 && left == 0 && tooOld.isEmpty }
    }

    /// What is to be published again, claimed no more.
    private struct Returned {
        var again: [Int64] = []
        /// Several that were in flight when the broker closed the channel.
        var suspects: [Int64] = []
    }

    private static let claim = 60.0
    private static let pageSize = 100

    let source: String
    let pool: PostgresPool
    /// Publishes in this order; one outcome per message.
    let publish: @Sendable ([AMQPPublication]) async -> [PublishOutcome]

    /// Ends early when the broker takes nothing of a page, nor says anything against it: it is away or blocked.
    ///
    /// - Parameters:
    ///   - isForced: Takes those too that are older than ``ReplayAge/maximum``.
    ///   - result: What was done, also when an error ends it.
    ///   - progress: Told after each page.
    /// - Throws: `PostgresError`.
    func run(
        _ parked: [HeldStore.Summary], isForced: Bool, now: Timestamp, _ result: inout Result, progress: (Result) -> Void = { _ in }
    ) async throws {
        result.tooOld = isForced ? [] : parked.filter { $0.isTooOld(now) }
        var rest = parked.filter { isForced || !$0.isTooOld(now) }.map(\.id)
        // The first so many of the rest are sent one by one.
        var suspects = 0
        while !rest.isEmpty {
            let page = Array(rest.prefix(suspects > 0 ? 1 : Self.pageSize))
            suspects -= min(suspects, page.count)
            let claimed = try await pool.withSession { session in try HeldStore().claimParked(session, ids: page, for: Self.claim) }
            result.taken += page.count - claimed.count
            let returned = claimed.isEmpty ? Returned() : try await replay(claimed, &result)
            rest = returned.suspects + returned.again + rest.dropFirst(page.count)
            suspects += returned.suspects.count
            guard returned.again.isEmpty || returned.again.count < claimed.count else {
                result.left = rest.count
                break
            }
            progress(result)
        }
    }

    /// Publishes claimed events, and writes what became of each.
    ///
    /// An attempt is used up by what is wrong with the event alone, not by a broker that is away, full or blocked.
    private func replay(_ claimed: [HeldStore.HeldRow], _ result: inout Result) async throws -> Returned {
        let verdicts = await publish(claimed.map { $0.row.publication(from: source) }).map(PublishVerdict.init)
        var published: [Int64] = []
        var returned = Returned()
        var (failed, refused): ([Failure], [Failure]) = ([], [])
        for (event, verdict) in zip(claimed, verdicts) {
            switch verdict {
            case .published: published.append(event.row.id)
            case .again: returned.again.append(event.row.id)
            case .suspect where claimed.count > 1: returned.suspects.append(event.row.id)
            case .refused(let reason): refused.append(Failure(event.row, reason))
            case .failed(let reason, _), .suspect(let reason): failed.append(Failure(event.row, reason))
            }
        }
        try await pool.withTransaction { [published, returned, failed, refused] session in
            let store = HeldStore()
            try store.published(session, ids: published)
            try store.failed(session, ids: failed.map(\.id), reasons: failed.map(\.reason))
            try store.released(session, ids: returned.again + returned.suspects + refused.map(\.id))
        }
        result.published += published.count
        result.failures += failed + refused
        return returned
    }
}

extension ReplayParked.Failure {
    init(_ row: OutboxRow, _ reason: String) { self.init(id: row.id, eventID: row.eventID, reason: reason) }
}

extension HeldStore.Summary {
    /// Older than may be replayed without force.
    func isTooOld(_ now: Timestamp) -> Bool { ReplayAge.isExceeded(since: ageBegins, now: now) }
}
