import Synchronization
package import Tracing

/// A span of ours. One that is not sampled only carries its context on: it has no memory and ends in nothing.
package struct RecordedSpan: Span {
    package let context: InstrumentationContext
    private let recording: SpanRecording?

    init(context: InstrumentationContext, recording: SpanRecording?) {
        self.context = context
        self.recording = recording
    }

    /// Whether this is recorded and has not ended yet.
    package var isRecording: Bool { recording?.isOpen ?? false }

    package var operationName: String {
        get { recording?.read { $0.name } ?? "" }
        nonmutating set { recording?.change { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { recording?.read { $0.attributes } ?? [:] }
        nonmutating set { recording?.change { $0.attributes = newValue } }
    }

    package func setStatus(_ status: SpanStatus) {
        recording?.change { $0.status = status }
    }

    package func addEvent(_ event: SpanEvent) {
        recording?.change { $0.append(event) }
    }

    package func addLink(_ link: SpanLink) {
        recording?.change { $0.append(link) }
    }

    /// Notes an exception by its type; its text might hold what must not leave the process.
    package func recordError<Instant: TracerInstant>(_ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant) {
        guard let recording else { return }
        var attributes = attributes
        attributes["exception.type"] = String(describing: type(of: error))
        let event = SpanEvent(name: "exception", at: instant(), attributes: attributes)
        recording.change { $0.append(event) }
    }

    /// Hands the span over to be exported; what is said of it later is not heard.
    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        recording?.end(at: instant().nanosecondsSinceEpoch)
    }
}

/// The memory of a sampled span, shared by all copies of its handle.
final class SpanRecording: Sendable {
    /// Nil once the span has ended.
    private let data: Mutex<SpanData?>
    private let queue: SpanQueue

    init(_ data: SpanData, queue: SpanQueue) {
        self.data = Mutex(data)
        self.queue = queue
    }

    var isOpen: Bool { data.withLock { $0 != nil } }

    func read<Value: Sendable>(_ body: (SpanData) -> Value) -> Value? {
        data.withLock { $0.map(body) }
    }

    func change(_ body: (inout SpanData) -> Void) {
        data.withLock { data in
            guard var changed = data else { return }
            data = nil
            body(&changed)
            data = changed
        }
    }

    func end(at nanoseconds: UInt64) {
        let ended: SpanData? = data.withLock { data in
            defer { data = nil }
            return data
        }
        guard var ended else { return }
        ended.endedAt = max(nanoseconds, ended.startedAt)
        queue.offer(ended)
    }
}
