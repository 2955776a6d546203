import AMQP
import Concurrency
import Logging
import Observability
import Outbox
import Postgres
import ServiceLifecycle
import ServiceRuntime
import Synchronization

/// Publishes the events of the leased partitions until the shutdown, and then waits for what is in flight.
struct RelayLoop: Service {
    let source: String
    let owner: String
    let pool: PostgresPool
    let publisher: AMQPPublisher
    let keeper: LeaseKeeper
    let maximumAttempts: Int
    let timing: RelayTiming
    let metrics: RelayMetrics
    let tracer: SpanTracer?
    let logger: Logger

    func run() async throws {
        await withDiscardingTaskGroup { group in
            var run = RelayRun(self)
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                let pause = await run.step(in: &group)
                guard pause > .zero else { continue }
                _ = await Periodic.pause(for: pause)
            }
            await run.drain()
        }
        logger.info("the relay has drained")
    }
}

/// What became of events that were handed over, on its way back to the loop.
final class RelayInbox: Sendable {
    struct Arrival: Sendable {
        let items: [RelayItem]
        let outcomes: [PublishOutcome]
        let handedOverAt: ContinuousClock.Instant
    }

    private let arrivals = Mutex<[Arrival]>([])

    func put(_ arrival: Arrival) { arrivals.withLock { $0.append(arrival) } }

    func takeAll() -> [Arrival] {
        arrivals.withLock { arrivals in
            defer { arrivals = [] }
            return arrivals
        }
    }
}
