import Contracts

/// Why the server itself refuses a request, before any route has seen it.
struct Refusal: Error, Hashable {
    let reason: LimitReason
    let code: ProblemCode
    let detail: String?

    private init(_ reason: LimitReason, _ code: ProblemCode = .malformedRequest, _ detail: String? = nil) {
        self.reason = reason
        self.code = code
        self.detail = detail
    }

    static let unreadable = Refusal(.malformed)
    static let headTooLarge = Refusal(.headTooLarge, .headerFieldsTooLarge)
    static let targetTooLong = Refusal(.headTooLarge, .targetTooLong)
    static let headTooSlow = Refusal(.headTooSlow, .requestTimeout)
    static let version = Refusal(.malformed, .malformedRequest, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    static let host = Refusal(.malformed, .malformedRequest, "Exactly one Host field is needed.")
    static let target = Refusal(.malformed, .malformedRequest, "The target is not a path.")
    static let transferCoding = Refusal(.malformed, .malformedRequest, "The only transfer coding that is understood is chunked.")
    static let expectation = Refusal(.malformed, .malformedRequest, "The only expectation that can be met is 100-continue.")
    static let otherSpelling = Refusal(.otherSpelling, .notFound)
}

/// Why something was refused, cut or held back: the label of the metric.
enum LimitReason: String, CaseIterable, Sendable {
    /// A head or body that can't be read, or breaks a rule of HTTP.
    case malformed
    case headTooLarge = "head_too_large"
    case headTooSlow = "head_too_slow"
    /// Another spelling of a path: `//`, or a slash at its end.
    case otherSpelling = "other_spelling"
    case bodyTooSlow = "body_too_slow"
    case bodyInPieces = "body_in_pieces"
    /// More came after the last answer than is drained.
    case drain
    case unreadAnswer = "unread_answer"
    /// More requests in a row than one connection has answered without others having their turn.
    case pipelining
    /// A connection beyond the bound on connections.
    case connections
    /// A connection that would have taken one of the descriptors that are left free.
    case descriptors
    /// A connection that was open when the server's time to shut down was over.
    case shutdown
}

/// Why a body could not be had, beside what the parser says of it.
package enum BodyFault: Error, Sendable {
    case tooSlow
    case inTooManyPieces
    /// The connection was ended from here before the body was complete.
    case cutOff
}
