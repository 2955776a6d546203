/// The exporter's bounds. Spans are worth little: what cannot be delivered soon is dropped and counted.
package struct SpanExportTiming: Sendable {
    /// How long ended spans wait to be sent together.
    package var interval: Duration
    /// How long one request may take, its answer included; the default of OTLP.
    package var requestTimeout: Duration
    /// Requests for the same spans at most, the first included.
    package var maximumTries: Int
    /// The pause before the second try; it doubles with each further one and is spread by full jitter.
    package var firstPause: Duration
    /// A receiver that asks for more patience than this, or a longer growing pause, is not waited for.
    package var maximumPause: Duration
    /// How long the end of the process may wait for the last spans.
    package var shutdownLimit: Duration

    package init(
        interval: Duration = .seconds(1), requestTimeout: Duration = .seconds(10), maximumTries: Int = 5, firstPause: Duration = .seconds(1),
        maximumPause: Duration = .seconds(30), shutdownLimit: Duration = .seconds(3)
    ) {
        self.interval = interval
        self.requestTimeout = requestTimeout
        self.maximumTries = maximumTries
        self.firstPause = firstPause
        self.maximumPause = maximumPause
        self.shutdownLimit = shutdownLimit
    }
}
