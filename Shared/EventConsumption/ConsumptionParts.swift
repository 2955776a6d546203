internal import AMQP
internal import Contracts
internal import Logging
internal import Observability
internal import Postgres
internal import ServiceDatabase
internal import ServiceRuntime

/// What a consumer is made of, shared by its workers.
struct ConsumptionParts: Sendable {
    let subscription: EventSubscription
    let options: EventConsumerOptions
    let broker: AMQPConfiguration
    /// The consumer's queue, its bindings and the queues in which failed events wait.
    let topology: AMQPTopology
    let pool: PostgresPool
    let database: RetryingExecutor
    let application: EventApplication
    let deadLetters: DeadLetterStore
    let retries: AMQPPublisher
    let metrics: ConsumptionMetrics
    let logger: Logger
    let tracer: SpanTracer?
    let clock: ClockWitness
    let now: @Sendable () -> Timestamp

    /// What a delivery is to become.
    func read(_ delivery: AMQPDelivery, batchSize: Int) -> PendingDelivery {
        let raw = RawMessage(delivery, consumedAs: broker.user)
        switch subscription.read(raw, now: now(), tracer: tracer) {
        case .event(let event):
            let span = EventSpan(event, consumer: subscription.name, batchSize: batchSize, tracer)
            return PendingDelivery(delivery: delivery, raw: raw, facts: EventFacts(event.envelope), span: span, state: .event(event))
        case .ignored(let envelope):
            return PendingDelivery(delivery: delivery, raw: raw, facts: EventFacts(envelope), span: nil, state: .done(.ignored))
        case .failed(let failure, let facts):
            return PendingDelivery(delivery: delivery, raw: raw, facts: facts, span: nil, state: .failed(failure))
        }
    }
}
