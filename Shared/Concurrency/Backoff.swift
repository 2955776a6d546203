/// Pauses between attempts: doubled each time up to a maximum, and spread at random, so that processes that lost the same server don't come
/// back to it together.
package struct Backoff: Sendable, Hashable {
    package enum Jitter: Sendable, Hashable {
        /// Anything up to the pause.
        case full
        /// At least half of the pause.
        case half
    }

    package var first: Duration
    package var maximum: Duration
    package var jitter: Jitter

    package init(first: Duration = .milliseconds(200), maximum: Duration = .seconds(30), jitter: Jitter = .full) {
        self.first = first
        self.maximum = maximum
        self.jitter = jitter
    }

    /// The longest pause after a number of failures, from 1.
    package func ceiling(after failures: Int) -> Duration { min(maximum, first * (1 << min(max(0, failures - 1), 16))) }

    package func pause(after failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        ceiling(after: failures) * Double.random(in: (jitter == .full ? 0 : 0.5)...1, using: &generator)
    }

    package func pause(after failures: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return pause(after: failures, using: &generator)
    }
}
