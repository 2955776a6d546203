import Concurrency
import Outbox

/// The clocks of a relay, which belong together.
struct RelayTiming: Sendable {
    /// How long a lease lasts without renewal: so long a relay that died holds its partitions up.
    var lease: Duration
    /// Between two renewals.
    var renewal: Duration
    /// Between two looks for free partitions while the relay has less than its share.
    var search = Duration.milliseconds(500)
    /// From the hand-over of an event to its outcome. Nothing is handed over that could still be sent when the lease is over.
    var publish: Duration
    /// Between two looks at the outbox, shortest and longest; doubled while there is nothing new.
    var poll = Duration.milliseconds(4)
    var longestPoll = Duration.milliseconds(100)
    /// The pause is longer by this for each event that was found, up to the longest: of a steady stream each look takes more, and costs the
    /// database and the broker the same.
    var gathering = Duration.microseconds(250)
    var longestGathering = Duration.milliseconds(25)
    /// Between two looks at who writes to the outbox, by which marks move.
    var horizon = Duration.milliseconds(20)
    /// Between two looks for held events whose time has come.
    var retry = Duration.milliseconds(250)
    /// The pause after the broker refused, first and longest; doubled while it goes on refusing.
    var refusal = Duration.milliseconds(100)
    var longestRefusal = Duration.seconds(5)
    /// The pause before an event that failed is tried again, first and longest; doubled with each attempt.
    var failure = Duration.seconds(1)
    var longestFailure = DeferredEventStore.longestPause

    init(lease: Duration = .seconds(10)) {
        self.lease = lease
        renewal = lease / 5
        publish = lease * 2 / 5
    }

    /// The pause after a look that found so many new events.
    func pause(afterFinding count: Int) -> Duration {
        // More than one look may take lies there: nothing is gained by waiting.
        count < RelayLimits.chunk ? min(max(poll, longestGathering), poll + gathering * count) : poll
    }

    /// Seconds before the attempt that follows a number of failed ones.
    func pause(afterFailures attempts: Int) -> Double {
        Backoff(first: failure, maximum: longestFailure, jitter: .half).pause(after: attempts).inSeconds
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
