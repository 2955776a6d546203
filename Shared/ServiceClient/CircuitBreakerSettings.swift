/// The numbers of a ``CircuitBreaker``.
struct CircuitBreakerSettings: Hashable, Sendable {
    /// Outcomes are counted for this long, then anew.
    var window = Duration.seconds(10)
    /// Fewer outcomes in the window say nothing about their share of failures.
    var minimumVolume = 20
    /// This share of failures opens it.
    var failurePercent = 50
    /// So do this many tries in a row without an answer, however few the calls.
    var consecutiveTransportFaults = 5
    /// How long it stays open the first time; each time that it opens again before it was closed for good adds as much.
    var openTimeStep = Duration.seconds(5)
    var maximumOpenTime = Duration.seconds(60)
    /// Probes at once while it is half-open, and how many must succeed.
    var probes = 3
    /// Probes that have not ended after this long are given up, and it opens again. Longer than every try.
    var probeLimit = Duration.seconds(60)
    /// How long it takes from the probes to all calls.
    var ramp = Duration.seconds(10)
    /// Calls at once at the end of the ramp: the bulkhead's limit.
    var fullConcurrency: Int

    init(fullConcurrency: Int) {
        self.fullConcurrency = fullConcurrency
    }

    func openTime(_ openings: Int) -> Duration { min(openTimeStep * openings, maximumOpenTime) }
}
