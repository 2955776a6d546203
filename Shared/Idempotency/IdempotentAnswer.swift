/// The answer to a request that may have a key.
///
/// `isReplay` says where the answer comes from: the record of an earlier request with the key, or the decision on this one. It is never
/// inferred from what a caller sends.
package enum IdempotentAnswer<Body: Sendable & Hashable, Refused: Sendable & Hashable>: Sendable, Hashable {
    case done(Body, isReplay: Bool)
    /// - Parameter requestID: Of the request that was refused first.
    case refused(Refused, requestID: String, isReplay: Bool)
    /// The key belongs to another request; `pointer` names the first member that differs.
    case keyReused(pointer: String)
    /// Another request with this key, or one that holds what this one needs, is still undecided.
    case inProgress
}

/// What a use case has decided on a request that was not decided before.
package enum IdempotentDecision<Body: Sendable & Hashable, Outcome: IdempotentOutcome> {
    case done(Body, Outcome)
    /// Final for its key: a repeat is refused again, whatever has changed since.
    case refused(Outcome.Refused)
    /// Leaves the key free: what does not exist may exist later.
    case refusedForNow(Outcome.Refused)

    package var isDone: Bool { if case .done = self { true } else { false } }
}
