import Synchronization

/// The bounded queue between the code that ends spans and the exporter: a full one drops the new span and counts it.
package final class SpanQueue: Sendable {
    /// Spans that wait at most, the default of OpenTelemetry's batch processor: about 2 MB.
    package static let defaultCapacity = 2_048

    private let capacity: Int
    private let counters: SpanCounters
    private let waiting = Mutex<[SpanData]>([])

    package init(capacity: Int = SpanQueue.defaultCapacity, counters: SpanCounters) {
        self.capacity = capacity
        self.counters = counters
    }

    package var count: Int { waiting.withLock { $0.count } }

    func offer(_ span: SpanData) {
        let isKept = waiting.withLock { waiting in
            guard waiting.count < capacity else { return false }
            waiting.append(span)
            return true
        }
        if !isKept { counters.dropped(1, .queueFull) }
    }

    /// Takes the oldest spans out.
    package func take(atMost limit: Int) -> [SpanData] {
        waiting.withLock { waiting in
            let taken = Array(waiting.prefix(limit))
            waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// Puts spans back whose delivery was interrupted, before the others; what has no room is dropped and counted.
    func putBack(_ spans: [SpanData]) {
        let lost = waiting.withLock { waiting in
            let kept = spans.suffix(max(capacity - waiting.count, 0))
            waiting.insert(contentsOf: kept, at: 0)
            return spans.count - kept.count
        }
        if lost > 0 { counters.dropped(lost, .queueFull) }
    }
}
