import Contracts
import Metrics
import Observability
import ServiceRuntime
import Synchronization
import Tracing

/// What the ledger records of traces that their callers sampled; no trace begins in it.
final class LedgerSpans: Sendable {
    let tracer: SpanTracer
    private let queue: SpanQueue
    private let seen = Mutex<[SpanData]>([])

    init() {
        queue = SpanQueue(counters: SpanCounters(factory: PrometheusRegistry()))
        tracer = SpanTracer(sampler: TraceSampler(.parentBasedAlwaysOff), queue: queue)
    }

    /// The spans of a trace that have ended so far.
    func of(_ trace: TraceContext) -> [SpanData] {
        seen.withLock { seen in
            seen += queue.take(atMost: .max)
            return seen.filter { $0.trace.traceID == trace.traceID }
        }
    }

    /// The batches that say that this span's request is in them; other suites' requests may be there too, and one of them come first.
    func batches(with request: TraceContext) -> [SpanData] {
        seen.withLock { seen in
            seen += queue.take(atMost: .max)
            return seen.filter { $0.name == "ledger.batch" && $0.links.contains { $0.context.trace == request } }
        }
    }

    /// A trace that somebody else began.
    static func newTrace(isSampled: Bool = true) -> TraceContext {
        var random = SystemRandomNumberGenerator()
        return TraceContext(isSampled: isSampled, using: &random)
    }
}

extension SpanData {
    func text(_ attribute: String) -> String? {
        guard case .string(let text)? = attributes.get(attribute) else { return nil }
        return text
    }

    func number(_ attribute: String) -> Int64? {
        guard case .int64(let number)? = attributes.get(attribute) else { return nil }
        return number
    }
}
