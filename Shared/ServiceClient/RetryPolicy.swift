/// When a call is tried again: only what is safe, a few times, after a pause that spreads the callers.
package struct RetryPolicy: Sendable {
    /// The first try included.
    package static let maximumTries = 3
    package static let defaultTryTimeout = Duration.seconds(2)
    /// The pause after the first try lasts at most this; it doubles with each further one.
    package static let basePause = Duration.milliseconds(50)
    package static let maximumPause = Duration.seconds(1)
    /// A `Retry-After` beyond this is no wish to be called again by the same request.
    package static let maximumRetryAfterSeconds = 60

    /// The statuses with which a callee, or a proxy before it, says that another try may go better.
    private static let statuses: Set<Int> = [502, 503, 504]

    /// How long a single try may take, connecting included.
    package let tryTimeout: Duration
    private let jitter: @Sendable (_ most: Duration) -> Duration

    /// - Parameter jitter: A pause from zero to the given one, spread evenly.
    package init(
        tryTimeout: Duration = RetryPolicy.defaultTryTimeout, jitter: @escaping @Sendable (_ most: Duration) -> Duration = RetryPolicy.fullJitter
    ) {
        self.tryTimeout = tryTimeout
        self.jitter = jitter
    }

    /// Evenly random from zero to the given pause, so that callers that failed together do not come back together.
    package static func fullJitter(_ most: Duration) -> Duration {
        let (seconds, attoseconds) = most.components
        return .microseconds(Int64.random(in: 0...(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)))
    }

    /// How long to wait before the next try, or nil when there is to be none.
    ///
    /// - Parameter tries: How many there have been, at least one.
    func pause(after outcome: TryOutcome, of request: ServiceRequest, tries: Int) -> Duration? {
        guard tries < Self.maximumTries, Self.isRepeatable(outcome, of: request, tries: tries) else { return nil }
        let pause = jitter(min(Self.basePause * (1 << (tries - 1)), Self.maximumPause))
        guard case .answered(let response) = outcome, let seconds = response.retryAfterSeconds else { return pause }
        // The callee's wish, and the jitter on top: it tells every caller the same.
        return seconds <= Self.maximumRetryAfterSeconds ? .seconds(seconds) + pause : nil
    }

    private static func isRepeatable(_ outcome: TryOutcome, of request: ServiceRequest, tries: Int) -> Bool {
        let isRead = request.method == "GET"
        guard isRead || (request.method == "POST" && request.idempotencyKey != nil) else { return false }
        switch outcome {
        case .answered(let response): return statuses.contains(response.status)
        case .unreachable: return true
        // Nearly always the callee had closed before it saw the request; the key guards the rest, once (RFC 9110 section 9.2.2).
        case .stale: return isRead || tries == 1
        // With a key the callee would recognise a repeated POST, but it may still be at work on the first: the caller decides.
        case .lost, .timedOut: return isRead
        case .hurried, .tooLarge, .cancelled: return false
        }
    }
}
