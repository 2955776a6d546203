internal import Contracts
internal import EventBroker
internal import Logging
internal import Observability
internal import ServiceRuntime
internal import Tracing

/// The span of one event's processing, where its trace is sampled (OpenTelemetry semantic conventions, "Messaging spans").
///
/// It is a child of the event's creation, so that what happened to a payment is one trace across the fleet.
struct EventSpan: Sendable {
    private let span: RecordedSpan

    /// The context of the processing: what the event causes is a child of it, recorded here or not. Nil when the event has no trace.
    static func context(of envelope: EventEnvelope, _ tracer: SpanTracer?) -> TraceContext? {
        guard let parent = envelope.traceparent.flatMap(TraceContext.init(traceparent:)) else { return nil }
        var random = SystemRandomNumberGenerator()
        return tracer?.context(childOf: parent, using: &random) ?? parent.child(using: &random)
    }

    init?(_ event: DecodedEvent, consumer: String, batchSize: Int, _ tracer: SpanTracer?) {
        guard let tracer, let trace = event.trace, trace.isSampled else { return nil }
        span = tracer.span(
            "process \(consumer)", .consumer, as: trace, childOf: event.envelope.traceparent.flatMap(TraceContext.init(traceparent:)))
        span.attributes = [
            "messaging.system": "rabbitmq", "messaging.operation.name": "process", "messaging.operation.type": "process",
            "messaging.destination.name": .string(consumer), "messaging.rabbitmq.destination.routing_key": .string(event.envelope.type),
            "messaging.message.id": .string(event.envelope.id.description), "messaging.batch.message_count": .int64(Int64(batchSize)),
            "florin.event.attempt": .int64(Int64(event.attempt)),
        ]
    }

    /// - Parameter result: As the metrics name it.
    func end(_ result: String, failure: EventFailure?) {
        span.attributes["florin.event.result"] = result
        if let failure {
            span.attributes["error.type"] = failure.kind.rawValue
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }
}

extension EventFacts {
    /// What log lines about the event say of it; never what it holds.
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["event_id": "\(eventID.map { EventID($0).description } ?? "unknown")"]
        if let type { metadata["event.type"] = "\(PlainLine.text(type.prefix(255)))" }
        if let trace = traceparent.flatMap(TraceContext.init(traceparent:)) { metadata["trace_id"] = "\(trace.traceID)" }
        return metadata
    }
}
