import Contracts
package import Logging
import Metrics
package import Observability
package import Postgres
package import ServiceDatabase
import ServiceLifecycle
import ServiceRuntime

/// Group commit: few writers, each with a connection and a thread of its own, that post what waits in the queue.
///
/// - Serialization failures and deadlocks: the batch runs again, with jitter.
/// - A database that does nobody's work, because it takes no writes or its disk is full: the batch fails as one, at once. A session that
///   has refused a write is replaced, and postings are refused until the database takes writes again.
/// - Any other SQL error: halves, until the culprit stands alone; its neighbours get their own outcomes.
/// - A lost connection, or one that doesn't answer in time, COMMIT included: the same batch with the same ids on a new connection. Its locks wait for the old transaction
///   and find what it left. After ``reconnectLimit`` the callers learn that the outcome is unknown.
/// - A server's clock that can't be believed: nothing is posted, the callers may try again; see ``ClockWitness``.
package struct BatchWriter: Service {
    package static let reconnectLimit = Duration.seconds(10)
    static let retryLimit = 8
    private static let retryPause = Duration.milliseconds(2)
    private static let reconnectPause = Duration.milliseconds(100)

    private let queue: PostingQueue
    private let configuration: PostgresConfiguration
    private let writers: Int
    private let clock: ClockWitness
    private let logger: Logger
    private let tracer: SpanTracer?
    private let batches = Counter(label: "ledger_batches_total")
    private let items = Counter(label: "ledger_batch_items_total")
    private let splits = Counter(label: "ledger_batch_splits_total")
    private let reconnects = Counter(label: "ledger_writer_reconnects_total")
    private let sizes = Recorder(label: "ledger_batch_size")
    private let duration = Timer(label: "ledger_batch_seconds")

    package init(
        queue: PostingQueue, configuration: PostgresConfiguration, writers: Int, clock: ClockWitness, logger: Logger, tracer: SpanTracer? = nil
    ) {
        self.queue = queue
        self.configuration = configuration
        self.writers = writers
        self.clock = clock
        self.logger = logger
        self.tracer = tracer
    }

    package func run() async throws {
        // A writer that waits for requests blocks its thread: only the queue can end it, also when the start failed elsewhere.
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withTaskGroup { group in
                    for writer in 0..<writers { group.addTask { await write(as: writer) } }
                }
            } onGracefulShutdown: {
                queue.close()
            }
        } onCancel: {
            queue.close()
        }
    }

    /// Groups of requests that have no outcome yet, the next one last.
    private typealias InFlightBatches = [[PostingQueue.Item]]

    private struct TakesNoWrites: Error {}

    private enum ExitReason {
        case queueClosed
        /// `progressed` when the connection answered anything before it broke.
        case connectionLost(InFlightBatches, progressed: Bool)
    }

    private func write(as writer: Int) async {
        var unfinished: InFlightBatches = []
        var lostAt: ContinuousClock.Instant?
        while true {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                guard try await connection.takesWrites() else { throw TakesNoWrites() }
                let groups = unfinished
                if groups.isEmpty { lostAt = nil }
                switch try await connection.withSession({ work($0, writer: writer, groups) }) {
                case .queueClosed: return
                case .connectionLost(let groups, let progressed):
                    // A batch that breaks every new connection must still reach its bound.
                    if progressed { lostAt = nil }
                    logger.warning("a batch writer lost its connection", metadata: ["ledger.writer": "\(writer)"])
                    unfinished = groups
                }
            } catch is TakesNoWrites {
                logger.debug("the database accepts no writes")
                // Who is told so at once can try again; what may be posted already waits for its outcome.
                for item in queue.takeAll() { item.resume(returning: .failed(.unavailable)) }
            } catch {
                logger.debug("a batch writer can't connect", metadata: ["error": "\(error)"])
            }
            queue.lost(writer: writer)
            reconnects.increment()
            let since = lostAt ?? .now
            lostAt = since
            if .now - since > Self.reconnectLimit || Task.isCancelled {
                for item in unfinished.joined() { item.resume(returning: .failed(.outcomeUnknown)) }
                unfinished = []
                // These were never tried.
                for item in queue.takeAll() { item.resume(returning: .failed(.unavailable)) }
            }
            if unfinished.isEmpty, queue.isClosedAndEmpty || Task.isCancelled {
                queue.finished(writer: writer, count: 0, seconds: 0)
                return
            }
            try? await Task.sleep(for: Self.reconnectPause)
        }
    }

    /// Outcomes that stand (committed, or known to have failed) and are not yet told. A writer tells them while the server takes the
    /// next batch's locks: to wake the callers first would make the next batch wait for a core.
    private struct PendingReplies {
        private var outcomes: [(item: PostingQueue.Item, outcome: PostingOutcome)] = []

        mutating func append(_ item: PostingQueue.Item, _ outcome: PostingOutcome) { outcomes.append((item, outcome)) }

        mutating func flush() {
            for (item, outcome) in outcomes { item.resume(returning: outcome) }
            outcomes.removeAll(keepingCapacity: true)
        }
    }

    /// Runs on the connection's own thread, which may block.
    private func work(_ session: PostgresSession, writer: Int, _ groups: InFlightBatches) -> ExitReason {
        var groups = groups
        // What an earlier connection had under way may still be committed by its backend.
        var mayBePosted = !groups.isEmpty
        var progressed = false
        var isOut = false
        var pendingReplies = PendingReplies()
        defer { pendingReplies.flush() }
        while true {
            if groups.isEmpty {
                guard session.isReusable else { return .connectionLost([], progressed: progressed) }
                guard let batch = queue.take(writer: writer, beforeWaiting: { pendingReplies.flush() }) else { return .queueClosed }
                groups = [batch]
            }
            let started = ContinuousClock.now
            defer { mayBePosted = false }
            let count = groups.reduce(0) { $0 + $1.count }
            let size = groups.joined().reduce(0) { $0 + $1.size }
            let span = BatchSpan(groups.lazy.joined().map(\.request), size: size, tracer: tracer)
            defer { span?.end() }
            while let group = groups.popLast() {
                guard session.isHealthy else {
                    span?.connectionLost()
                    return .connectionLost(groups + [group], progressed: progressed)
                }
                // Only a whole batch waits long for a lock; its parts look for the one that is held.
                let lockTimeout = group.count == count ? BatchStore.lockTimeout : BatchStore.partLockTimeout
                switch post(session, group, lockTimeout: lockTimeout, mayBePosted: mayBePosted, &pendingReplies) {
                case .answered: (progressed, isOut) = (true, false)
                case .outage(let error):
                    if !isOut { logger.warning("the database accepts no postings", metadata: ["error": "\(error)"]) }
                    (progressed, isOut) = (true, true)
                    for item in group { pendingReplies.append(item, .failed(mayBePosted ? .outcomeUnknown : .unavailable)) }
                case .connectionLost:
                    span?.connectionLost()
                    return .connectionLost(groups + [group], progressed: progressed)
                case .split:
                    splits.increment()
                    groups.append(Array(group[(group.count / 2)...]))
                    groups.append(Array(group[..<(group.count / 2)]))
                }
            }
            let elapsed = ContinuousClock.now - started
            batches.increment()
            items.increment(by: size)
            duration.record(duration: elapsed)
            sizes.record(size)
            queue.finished(writer: writer, count: size, seconds: elapsed / .seconds(1))
        }
    }

    private enum Attempt {
        case answered
        case split
        case connectionLost
        /// The database does nobody's work.
        case outage(PostgresError)
    }

    private func post(
        _ session: PostgresSession, _ group: [PostingQueue.Item], lockTimeout: Duration, mayBePosted: Bool, _ pendingReplies: inout PendingReplies
    ) -> Attempt {
        let requests = group.map(\.request)
        for attempt in 1...Self.retryLimit {
            do {
                let outcomes = try PostBatch(clock: clock).run(session, requests, lockTimeout: lockTimeout, meanwhile: { pendingReplies.flush() })
                for (item, outcome) in zip(group, outcomes) { pendingReplies.append(item, outcome) }
                return .answered
            } catch let error as PostgresError {
                if error.isConnectionLost || !session.isHealthy { return .connectionLost }
                // Nobody's posting passes, or the process ends.
                if error.sqlState?.isServerUnavailable == true || error.kind == .cancelled { return .outage(error) }
                // A key or reference that another replica wrote meanwhile: the batch runs again and sees it. A clock that stepped between
                // decision and write, which the database refuses: once more, and the witness knows.
                let mayPass =
                    error.isRetryable || error.sqlState == .uniqueViolation
                    || (error.sqlState == .integrityConstraintViolation && attempt == 1)
                if mayPass, attempt < Self.retryLimit {
                    pause(attempt: attempt)
                    continue
                }
                if group.count > 1 { return .split }
                logger.error(
                    "a posting failed", metadata: ["error": "\(error)", "request_id": "\(requests[0].requestID)"])
                let isPassing = error.isTimeout || error.isOutage || mayPass
                let failure: PostingFailure = mayBePosted ? .outcomeUnknown : isPassing ? .unavailable : .internalError
                pendingReplies.append(group[0], .failed(failure))
                return .answered
            } catch is ClockDisagreement {
                // The witness has logged it, once.
                for item in group { pendingReplies.append(item, .failed(mayBePosted ? .outcomeUnknown : .unavailable)) }
                return .answered
            } catch {
                if group.count > 1 { return .split }
                logger.error("a posting failed", metadata: ["error": "\(error)", "request_id": "\(requests[0].requestID)"])
                pendingReplies.append(group[0], .failed(.internalError))
                return .answered
            }
        }
        return .split
    }

    /// Blocks the writer's own thread for a random part of a growing pause.
    private func pause(attempt: Int) {
        let limit = Self.retryPause * (1 << attempt)
        PostingQueue.blockThread(for: limit * Double.random(in: 0...1))
    }
}
