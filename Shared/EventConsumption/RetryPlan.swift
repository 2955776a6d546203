package import AMQP
internal import ServiceRuntime

/// The delays after which a failed event comes again, each longer than the one before; after the last it is a dead letter.
///
/// An event waits in a queue of its consumer's and its delay's own: `ops-risk.retry.5s`.
package struct RetryPlan: Sendable, Hashable {
    package static let maximumDelays = 10
    package static let acceptedDelays: ClosedRange<Duration> = .milliseconds(1) ... .seconds(24 * 3_600)
    package static let standard = RetryPlan(checked: [.seconds(1), .seconds(5), .seconds(30), .seconds(120), .seconds(600)])

    package let delays: [Duration]

    /// - Returns: nil when there are too many delays, one is out of range, or they don't grow. No delay at all means no retry.
    package init?(_ delays: [Duration]) {
        guard delays.count <= Self.maximumDelays, delays.allSatisfy(Self.acceptedDelays.contains), zip(delays, delays.dropFirst()).allSatisfy(<)
        else { return nil }
        self.init(checked: delays)
    }

    private init(checked delays: [Duration]) { self.delays = delays }

    /// As settings write it: `1s,5s,30s,2m,10m`.
    package init?(text: String) {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let delays = words.compactMap { DurationText.parse(String($0)) }
        guard delays.count == words.count else { return nil }
        self.init(delays)
    }

    package var text: String { delays.map(DurationText.render).joined(separator: ",") }

    /// The first delivery included.
    package var maximumAttempts: Int { delays.count + 1 }

    /// How long an event waits that failed for the n-th time, counted from 1; nil when it was the last.
    package func delay(afterAttempt attempt: Int) -> Duration? {
        let index = max(attempt, 1) - 1
        return index < delays.count ? delays[index] : nil
    }

    package static func queueName(of consumer: String, delay: Duration) -> String {
        "\(consumer).retry.\(DurationText.render(delay))"
    }

    /// The queues that a consumer needs besides its own.
    package func queues(of consumer: String) -> [AMQPQueue] {
        delays.map { .waiting(Self.queueName(of: consumer, delay: $0), for: $0, thenTo: consumer) }
    }
}
