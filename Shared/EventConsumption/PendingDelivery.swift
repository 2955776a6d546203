internal import AMQP
internal import Contracts

/// A delivery on its way through the worker, and what has become of it so far.
struct PendingDelivery: Sendable {
    enum State: Sendable {
        case event(DecodedEvent)
        /// Done with, as the metrics name it; what remains is to tell the broker.
        case done(ConsumptionMetrics.Result)
        case failed(EventFailure)
        case giveBack
    }

    let delivery: AMQPDelivery
    let raw: RawMessage
    let facts: EventFacts
    let span: EventSpan?
    var state: State
}
