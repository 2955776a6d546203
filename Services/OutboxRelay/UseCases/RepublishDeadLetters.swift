import AMQP
import Contracts
import EventBroker
import Outbox
import Postgres
import ServiceRuntime

/// Publishes a relay's dead letters again, past the relay: their keys went on without them.
///
/// Each is claimed for a minute, so that two operators don't publish it twice. An end in the middle leaves it a dead letter, claimed until the
/// minute is over; it may have been published by then and is published again, which consumers recognize by its id.
struct RepublishDeadLetters {
    struct Failure: Sendable, Hashable {
        let letter: DeadLetterSummary
        let reason: String
    }

    struct Result: Sendable, Hashable {
        var replayed = 0
        var failures: [Failure] = []
        /// Claimed by another run, or settled since they were selected.
        var taken = 0
        /// Unchanged, because the broker accepted nothing any more.
        var left = 0
        /// Not without force: consumers may have forgotten that they applied them.
        var tooOld: [DeadLetterSummary] = []

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

    /// Ends early when the broker neither accepts nor refuses anything of a page: it is unreachable or blocked.
    ///
    /// - Parameters:
    ///   - isForced: Includes those older than ``ReplayAge/maximum``.
    ///   - result: What was done, also when an error ends it.
    ///   - progress: Called after each page.
    /// - Throws: `PostgresError`.
    func run(
        _ letters: [DeadLetterSummary], isForced: Bool, now: Timestamp, _ result: inout Result, progress: (Result) -> Void = { _ in }
    ) async throws {
        let byID = Dictionary(uniqueKeysWithValues: letters.map { ($0.id, $0) })
        result.tooOld = isForced ? [] : letters.filter { $0.isTooOld(now) }
        var rest = letters.filter { isForced || !$0.isTooOld(now) }.map(\.id)
        // This many of the rest, from its beginning, are sent one by one.
        var suspects = 0
        while !rest.isEmpty {
            let page = Array(rest.prefix(suspects > 0 ? 1 : Self.pageSize))
            suspects -= min(suspects, page.count)
            let claimed = try await pool.withSession { session in try DeferredEventStore().claimParked(session, ids: page, for: Self.claim) }
            result.taken += page.count - claimed.count
            let returned = claimed.isEmpty ? Returned() : try await replay(claimed, of: byID, &result)
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
    private func replay(
        _ claimed: [DeferredEventStore.DeferredEvent], of letters: [Int64: DeadLetterSummary], _ result: inout Result
    ) async throws -> Returned {
        let verdicts = await publish(claimed.map { $0.row.publication(from: source) }).map(PublishVerdict.init)
        var published: [Int64] = []
        var returned = Returned()
        var (failed, refused): ([Failure], [Failure]) = ([], [])
        for (event, verdict) in zip(claimed, verdicts) {
            guard let letter = letters[event.row.id] else { continue }
            switch verdict {
            case .published: published.append(event.row.id)
            case .again: returned.again.append(event.row.id)
            case .suspect where claimed.count > 1: returned.suspects.append(event.row.id)
            case .refused(let reason): refused.append(Failure(letter: letter, reason: reason))
            case .failed(let reason, _), .suspect(let reason): failed.append(Failure(letter: letter, reason: reason))
            }
        }
        try await pool.withTransaction { [published, returned, failed, refused] session in
            let store = DeferredEventStore()
            try store.published(session, ids: published)
            try store.failed(session, ids: failed.map(\.letter.id), reasons: failed.map(\.reason))
            try store.released(session, ids: returned.again + returned.suspects + refused.map(\.letter.id))
        }
        result.replayed += published.count
        result.failures += failed + refused
        return returned
    }
}
