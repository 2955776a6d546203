package import FoundationEssentials

/// What is stored of a request with a key: what it asked for, and how it was answered.
package struct IdempotencyRecord<Outcome: IdempotentOutcome>: Sendable, Hashable {
    package let fingerprint: RequestFingerprint
    package let outcome: Outcome

    package init(_ fingerprint: RequestFingerprint, _ outcome: Outcome) {
        self.fingerprint = fingerprint
        self.outcome = outcome
    }
}

/// How a service's requests end: all that their answers are rendered from again. No body is stored.
package protocol IdempotentOutcome: Sendable, Hashable {
    /// Why a request is refused, by facts that the transaction decided on.
    associatedtype Refused: Sendable, Hashable

    /// - Parameter requestID: The id of the request that was refused first, so that the repeated answer is the same to the byte.
    static func refused(_ reason: Refused, requestID: String) -> Self
    /// Nil for what was done.
    var refusal: (reason: Refused, requestID: String)? { get }

    var stored: StoredOutcome { get }
    /// Nil for what this release of the service never writes.
    init?(_ stored: StoredOutcome)
}

/// An outcome as the columns of `idempotency_keys` have it.
package struct StoredOutcome: Sendable, Hashable {
    /// `outcome`: a number of the service's own, from 1. It keeps its meaning for ever.
    package let kind: Int16
    /// `subject_id`: the row from which the answer is rendered again.
    package let subject: UUID?
    /// `subject_version`: which state of it.
    package let version: Int64?
    /// `refusal`: the reason's code; nil for what was done.
    package let refusal: String?
    package let refusedRequestID: String?

    package init(_ kind: Int16, subject: UUID? = nil, version: Int64? = nil, refusal: String? = nil, refusedRequestID: String? = nil) {
        self.kind = kind
        self.subject = subject
        self.version = version
        self.refusal = refusal
        self.refusedRequestID = refusedRequestID
    }
}

/// A record holds an outcome that this release of the service doesn't know; the request was decided, but not by it.
package struct UnreadableIdempotencyRecord: Error, CustomStringConvertible {
    package let kind: Int16

    package init(kind: Int16) {
        self.kind = kind
    }

    package var description: String { "the outcome of an idempotency key can't be read, its kind is \(kind)" }
}
