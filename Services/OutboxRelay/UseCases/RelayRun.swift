import AMQP
import Logging
import Outbox
import Postgres
import ServiceRuntime

/// The relay's one task: takes outcomes, looks at the outbox, hands events to the publisher. Nothing here runs twice at once.
struct RelayRun {
    private let relay: RelayLoop
    private let store: RelayStore
    private let deferredStore = DeferredEventStore()
    private var inbox = RelayInbox()
    private var progress = RelayProgress()
    private var backlog: RelayBacklog
    private var poll: Duration
    private var nextLookAtWriters = ContinuousClock.now
    private var nextRetry = ContinuousClock.now
    private var nextFullMarks = ContinuousClock.now
    private var nextReport = ContinuousClock.now
    private var pausedUntil = ContinuousClock.now
    private var refusals = 0
    /// The channel on which everything in flight was handed over.
    private var generationInFlight = 0
    /// Events that were set aside before the marks passed them: a former owner of their partition died in between.
    private var setAside: Set<Int64> = []
    private var isDatabaseAway = false
    /// Refusals and failures are logged when they begin, not with each event.
    private var complaint: String?

    /// How much longer than a publication may take a shutdown waits for outcomes.
    private static let drainMargin = Duration.seconds(1)
    private static let heldAtOnce = 256
    private static let keysAtOnce = 16
    /// Between two reports to the metrics: to find the oldest event all in memory are looked at.
    private static let reportInterval = Duration.milliseconds(100)

    init(_ relay: RelayLoop) {
        self.relay = relay
        store = RelayStore(owner: relay.owner)
        let timing = relay.timing
        backlog = RelayBacklog(maximumAttempts: relay.maximumAttempts) { timing.pause(afterFailures: $0) }
        poll = timing.poll
    }

    /// One turn.
    /// - Returns: the pause before the next.
    mutating func step(in group: inout DiscardingTaskGroup) async -> Duration {
        do {
            takeOutcomes()
            let holding = relay.keeper.current
            try await follow(holding)
            let new = try await look(isReading: true)
            // Before what is new joins them: of a key that is always busy there is no moment in which nothing waits.
            var failure: (any Error)?
            do { try await fetchHeld() } catch { failure = error }
            let progress = progress
            backlog.add(new) { progress.epoch(of: $0) }
            if let failure { throw failure }
            let handedOver = handOver(holding, in: &group)
            tell()
            isDatabaseAway = false
            guard !new.isEmpty || handedOver > 0 || backlog.inFlightCount > 0 else { return idlePause() }
            poll = relay.timing.poll
            return relay.timing.pause(afterFinding: new.count)
        } catch {
            tell()
            if !isDatabaseAway { relay.logger.warning("the outbox can't be read", metadata: ["error": "\(error)"]) }
            isDatabaseAway = true
            poll = relay.timing.longestPoll
            return poll
        }
    }

    private mutating func idlePause() -> Duration {
        poll = min(relay.timing.longestPoll, poll * 2)
        return poll
    }

    /// Nothing more is read or sent; what is in flight is waited for and marked.
    mutating func drain() async {
        let end = ContinuousClock.now + relay.timing.publish + Self.drainMargin
        while backlog.inFlightCount > 0, ContinuousClock.now < end, !Task.isCancelled {
            takeOutcomes()
            // The outcome of a publication comes by itself or by its time-out.
            try? await Task.sleep(for: relay.timing.poll)
        }
        takeOutcomes()
        // A second look marks what the first has found to be final.
        for _ in 0..<2 {
            nextLookAtWriters = .now
            nextFullMarks = .now
            _ = try? await look(isReading: false)
        }
    }

    // MARK: Leases

    /// Follows what the keeper holds: forgets what is gone, and takes up what is new.
    private mutating func follow(_ holding: LeaseKeeper.Holding) async throws {
        for partition in progress.leased where holding.leases[partition]?.epoch != progress.epoch(of: partition) { drop(partition) }
        let new = holding.leases.values.filter { progress.epoch(of: $0.partition) == nil }
        // The mark of a server that has been replaced since may be beyond what the new one has.
        for lease in new { guard progress.isValid(in: lease.life) else { return startAgain() } }
        if !new.isEmpty {
            let partitions = new.map(\.partition)
            let deferredStore = deferredStore
            let (keys, ids) = try await relay.pool.withSession { session in
                (try deferredStore.keys(session, partitions: partitions), try deferredStore.unmarked(session, partitions: partitions))
            }
            backlog.lease(keys)
            setAside.formUnion(ids)
            for lease in new { progress.lease(lease.partition, epoch: lease.epoch, markedThrough: lease.markedThrough) }
        }
        let retiring = progress.retiring
        if holding.excess > retiring.count {
            for partition in progress.leased.suffix(holding.excess) { progress.retire(partition) }
        }
        let done = retiring.filter { progress.isDone($0) && !backlog.holds($0) }
        for partition in done { drop(partition) }
        relay.keeper.giveBack(done)
    }

    private mutating func drop(_ partition: Int) {
        progress.drop(partition)
        backlog.drop(partition)
    }

    // MARK: The database

    /// - Returns: the events that it found; they are in the progress, and not yet in the backlog.
    private mutating func look(isReading: Bool) async throws -> [OutboxRow] {
        var changes = backlog.changes
        // Marks of partitions in which nothing happened follow now and then: old events are deleted behind the lowest.
        let isTimeForAll = ContinuousClock.now >= nextFullMarks
        changes.marks = progress.marks(all: isTimeForAll)
        if isTimeForAll { nextFullMarks = .now + relay.timing.renewal }
        let isTimeForWriters = ContinuousClock.now >= nextLookAtWriters && progress.needsHorizon
        // Behind a transaction that does not end, each look at the writers says what was taken since.
        let mayRead = isReading && !progress.leased.isEmpty && progress.takenCount < RelayLimits.aheadOfWriters
        let limit = mayRead ? min(RelayLimits.chunk, RelayLimits.window - backlog.count) : 0
        guard limit > 0 || isTimeForWriters || !changes.isEmpty else { return [] }
        let (store, progressBefore) = (store, progress)
        let look = try await relay.pool.withSession { [changes] session in
            try store.look(session, progressBefore, limit: max(0, limit), looksAtWriters: isTimeForWriters, changes: changes)
        }
        guard progress.isValid(in: look.life) else {
            startAgain()
            return []
        }
        written(changes, lost: look.lost)
        if look.writing != nil { nextLookAtWriters = .now + relay.timing.horizon }
        var progress = progress
        defer { self.progress = progress }
        let horizon = look.writing.map { progress.observe($0) }
        let new = withoutSetAside(progress.take(look.missed) + progress.take(look.next), &progress)
        if let last = look.next.last?.id { progress.read(through: last) }
        if look.isComplete, let lastID = look.writing?.lastID { progress.read(through: lastID) }
        if let horizon { progress.reached(horizon: horizon) }
        return new
    }

    /// The server has crashed, or another has taken its place, and may have taken drawn ids back: what was concluded from them is void, and
    /// the marks in the database are not, which the next renewal reads again. An outcome that is under way may be of another event than the
    /// one that has its id now.
    private mutating func startAgain() {
        relay.logger.warning("the database server recovered from a crash or failed over; re-reading the outbox from its marks")
        inbox = RelayInbox()
        relay.keeper.forget(Set(relay.keeper.current.leases.keys))
        for partition in progress.leased { backlog.drop(partition) }
        progress = RelayProgress()
        setAside = []
    }

    /// What lies in `outbox_held` already is settled: it is sent, parked or discarded from there.
    private mutating func withoutSetAside(_ rows: [OutboxRow], _ progress: inout RelayProgress) -> [OutboxRow] {
        guard !setAside.isEmpty else { return rows }
        return rows.filter { row in
            guard setAside.remove(row.id) != nil, let epoch = progress.epoch(of: row.partition) else { return true }
            progress.settle(row.id, partition: row.partition, epoch: epoch)
            return false
        }
    }

    private mutating func written(_ changes: RelayChanges, lost: Set<Int>) {
        progress.marked(changes.marks.filter { !lost.contains($0.partition) })
        backlog.written(changes)
        for held in changes.held {
            progress.settle(held.id, partition: held.partition, epoch: held.epoch)
            relay.metrics.setAside(held)
            if held.state == .parked {
                relay.logger.error(
                    "an event was dead-lettered after its last attempt",
                    metadata: ["outbox.id": "\(held.id)", "attempts": "\(held.attempts)", "reason": "\(held.reason ?? "")"])
            }
        }
        guard !lost.isEmpty else { return }
        relay.logger.warning("leases were lost", metadata: ["partitions": "\(lost.sorted())"])
        relay.keeper.forget(lost)
        for partition in lost { drop(partition) }
    }

    /// Takes held events whose time has come, and those that no longer have to wait.
    private mutating func fetchHeld() async throws {
        guard backlog.hasHeldKeys, ContinuousClock.now >= nextRetry else { return }
        let (deferredStore, progress, keys) = (deferredStore, progress, backlog.heldKeys)
        for name in keys.releasing.prefix(Self.keysAtOnce) {
            let room = min(Self.heldAtOnce, RelayLimits.window - backlog.count)
            guard room > 0 else { return }
            let rows = try await relay.pool.withSession { session in try deferredStore.held(session, partitionKey: name, limit: room) }
            backlog.release(name, rows, areAll: rows.count < room) { progress.epoch(of: $0) }
        }
        // What is released is followed up at once; what fails has time.
        guard keys.releasing.isEmpty else { return }
        nextRetry = .now + relay.timing.retry
        let room = min(Self.heldAtOnce, RelayLimits.window - backlog.count)
        guard !keys.failing.isEmpty, room > 0 else { return }
        let rows = try await relay.pool.withSession { session in try deferredStore.due(session, partitions: progress.leased, limit: room) }
        let failing = Set(keys.failing)
        backlog.retry(rows.filter { failing.contains($0.row.partitionKey) }) { progress.epoch(of: $0) }
    }

    // MARK: The broker

    /// - Returns: how many events were handed over.
    private mutating func handOver(_ holding: LeaseKeeper.Holding, in group: inout DiscardingTaskGroup) -> Int {
        let now = ContinuousClock.now
        let status = relay.publisher.status
        // What is handed over may be sent until its time-out; by then the lease must still hold.
        guard status.isOpen, !status.isBlocked, now >= pausedUntil, now + relay.timing.publish < holding.validUntil else { return 0 }
        // What the former channel lost is not known yet; it goes first.
        guard backlog.inFlightCount == 0 || status.generation == generationInFlight else { return 0 }
        let items = backlog.next(atMost: RelayLimits.unconfirmed)
        guard !items.isEmpty else { return 0 }
        generationInFlight = status.generation
        let source = relay.source
        let receipt = relay.publisher.submit(items.map { $0.row.publication(from: source) }, onGeneration: status.generation)
        let inbox = inbox
        group.addTask {
            let outcomes = await receipt.outcomes()
            inbox.put(RelayInbox.Arrival(items: items, outcomes: outcomes, handedOverAt: now))
        }
        return items.count
    }

    private mutating func takeOutcomes() {
        for arrival in inbox.takeAll() {
            for (item, outcome) in zip(arrival.items, arrival.outcomes) {
                let verdict = PublishVerdict(outcome)
                note(verdict, of: item)
                if let published = backlog.settle(item.row.id, epoch: item.epoch, verdict) {
                    progress.settle(published.row.id, partition: published.row.partition, epoch: published.epoch)
                }
                if verdict == .published { relay.metrics.published(item, since: arrival.handedOverAt, tracer: relay.tracer, source: relay.source) }
            }
        }
    }

    private mutating func note(_ verdict: PublishVerdict, of item: RelayItem) {
        switch verdict {
        case .published:
            refusals = 0
            if complaint != nil { relay.logger.info("the broker accepts events again") }
            complaint = nil
        case .refused(let reason):
            guard ContinuousClock.now >= pausedUntil else { return }
            refusals += 1
            pausedUntil = .now + min(relay.timing.longestRefusal, relay.timing.refusal * (1 << min(refusals - 1, 10)))
            reportError("the broker accepts no events", reason)
        case .failed(let reason, _): reportError("an event can't be published", reason, item)
        case .suspect(let reason): reportError("the broker closed the channel; events are sent one by one", reason, item)
        case .again: break
        }
    }

    private mutating func reportError(_ message: Logger.Message, _ reason: String, _ item: RelayItem? = nil) {
        guard complaint != reason else { return }
        complaint = reason
        var metadata: Logger.Metadata = ["reason": "\(reason)"]
        if let item { metadata["event.id"] = "\(item.row.eventID)" }
        relay.logger.warning(message, metadata: metadata)
    }

    private mutating func tell() {
        guard ContinuousClock.now >= nextReport else { return }
        nextReport = .now + Self.reportInterval
        relay.metrics.tell(
            RelayMetrics.State(
                owned: relay.keeper.current.validUntil > .now ? progress.leased.count : 0, inMemory: backlog.count, inFlight: backlog.inFlightCount,
                oldest: backlog.count > 0 ? backlog.oldest?.occurredAt : nil, isRefused: ContinuousClock.now < pausedUntil))
    }
}
