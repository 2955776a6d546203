package import Contracts
import HTTPService
package import Idempotency

/// An order together with what makes it safe to repeat.
package struct PostingRequest: Sendable {
    package let order: LedgerOrder
    /// Without one it is the ledger's own, and safe to repeat by itself.
    package let key: IdempotencyKey?
    package let fingerprint: RequestFingerprint
    package let requestID: String
    package let traceparent: String?
    /// When the caller is answered, whatever has become of the request; nil is after ``PostingQueue/patience``.
    package let deadline: ContinuousClock.Instant?

    package init(
        order: LedgerOrder, key: IdempotencyKey?, fingerprint: RequestFingerprint, requestID: String, traceparent: String? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.order = order
        self.key = key
        self.fingerprint = fingerprint
        self.requestID = requestID
        self.traceparent = traceparent
        self.deadline = deadline
    }
}

extension PostingRequest {
    /// Where it differs from the key's first request; nil when it is the same.
    func firstDifference(from recorded: RequestFingerprint) -> String? {
        guard fingerprint != recorded, BatchDigest.isDigest(recorded) else { return fingerprint.firstDifference(from: recorded) }
        return BatchDigest.firstDifference(of: BatchDigest.of(fingerprint), from: recorded)
    }
}

/// What became of a keyed request.
package enum PostingOutcome: Sendable, Hashable {
    case posted(TransferBody, isReplay: Bool)
    /// The transfers of an atomic batch, in order.
    case batchPosted([TransferID], isReplay: Bool)
    case holdPlaced(HoldBody, isReplay: Bool)
    case holdCaptured(HoldCapturedBody, isReplay: Bool)
    case holdEnded(HoldVoidedBody, isReplay: Bool)
    case refused(Refusal, requestID: String, isReplay: Bool)
    /// The key belongs to another request; `pointer` names the first member that differs.
    case keyReused(pointer: String)
    case failed(PostingFailure)
}

/// Why a request has no outcome. All but `internalError` are answered 503 and safe to repeat with the same key.
package enum PostingFailure: Sendable, Hashable {
    /// The queue is full; `retryAfterSeconds` comes from the measured drain rate.
    case overloaded(retryAfterSeconds: Int)
    /// The connection was lost and did not come back in time, or the deadline passed while a writer was at work on it; it may or may not
    /// have been posted.
    case outcomeUnknown
    /// Nothing was done: a lock time-out, a shutdown, a deadline that passed.
    case unavailable
    case internalError
}
