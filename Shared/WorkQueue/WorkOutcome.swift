package import Concurrency
internal import ServiceRuntime

/// What one attempt brought. Reasons are stored and logged: they say nothing of what the work is about.
package enum WorkOutcome: Sendable, Hashable {
    case done
    /// It was not done and may be later: tried again with growing pauses, and dead in the end.
    case again(String)
    /// The other side will never take it: dead at once.
    case refused(String)
    /// It can't be read, or not be made into a call: dead at once.
    case poison(String)
    /// It may have been done: nothing tries it again until an operator says so.
    case unknown(String)
}

/// Where a piece of work stands.
package enum WorkState: String, Sendable, Hashable, CaseIterable {
    case waiting, working, done, unknown, dead, expired, discarded
}

/// The bounds of a queue.
package struct WorkPolicy: Sendable, Hashable {
    /// Attempts before work that fails for now is dead.
    package let maximumAttempts: Int
    /// Between two attempts.
    package let backoff: Backoff
    /// How long an attempt may take until its outcome counts as lost: longer than every time-out of it together.
    package let lease: Duration
    /// Whether work that may have been done can simply be done again, because the other side knows it by a key.
    package let isRepeatable: Bool

    /// No lease is longer. One that ends later was given by a clock that was ahead, and counts as ended.
    package static let longestLease = Duration.seconds(3_600)

    package init(maximumAttempts: Int, backoff: Backoff, lease: Duration, isRepeatable: Bool) {
        precondition(maximumAttempts > 0 && lease > .zero && lease <= Self.longestLease, "a queue needs attempts and a lease")
        self.maximumAttempts = maximumAttempts
        self.backoff = backoff
        self.lease = lease
        self.isRepeatable = isRepeatable
    }

    /// What becomes of work after an attempt; a decision without any effect.
    ///
    /// - Parameter attempt: From 1.
    func step(after outcome: WorkOutcome, attempt: Int) -> WorkStep {
        switch outcome {
        case .done: WorkStep(state: .done, failure: nil)
        case .again(let reason): WorkStep(state: attempt < maximumAttempts ? .waiting : .dead, failure: WorkFailure(.transient, reason))
        case .refused(let reason): WorkStep(state: .dead, failure: WorkFailure(.refused, reason))
        case .poison(let reason): WorkStep(state: .dead, failure: WorkFailure(.poison, reason))
        case .unknown(let reason) where isRepeatable: step(after: .again(reason), attempt: attempt)
        case .unknown(let reason): WorkStep(state: .unknown, failure: WorkFailure(.unknown, reason))
        }
    }
}

/// Where work goes from an attempt.
struct WorkStep: Sendable, Hashable {
    let state: WorkState
    let failure: WorkFailure?
}

/// Why an attempt was not the last, or is.
struct WorkFailure: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case transient, poison, refused, unknown
    }

    static let maximumReasonCharacters = 500

    let kind: Kind
    let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        let line = PlainLine.text(reason).prefix(Self.maximumReasonCharacters)
        self.reason = line.isEmpty ? "no reason given" : String(line)
    }
}
