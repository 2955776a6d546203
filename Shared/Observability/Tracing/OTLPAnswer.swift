import Contracts
import StrictJSON

/// What the receiver made of a request (OTLP specification, "OTLP/HTTP Response").
enum OTLPAnswer: Sendable, Equatable {
    /// All spans, but for so many.
    case accepted(rejected: Int)
    /// Never to be sent again.
    case refused(status: Int)
    /// To be sent again, after so long where the receiver says it.
    case unavailable(reason: String, retryAfter: Duration?)
    /// The process ends.
    case interrupted

    /// Statuses that the specification calls retryable.
    private static let retryableStatuses: Set<Int> = [429, 502, 503, 504]

    init(status: Int, retryAfter: String?, body: [UInt8]) {
        switch status {
        case 200...299: self = .accepted(rejected: Self.rejectedSpans(body))
        case let status where Self.retryableStatuses.contains(status):
            // Its other form, a date, is not worth the parser: the pause that grows does as well.
            let seconds = retryAfter.flatMap { DecimalDigits.number($0, as: Int.self) }
            self = .unavailable(reason: "status \(status)", retryAfter: seconds.map { .seconds($0) })
        default: self = .refused(status: status)
        }
    }

    /// `{"partialSuccess":{"rejectedSpans":"3"}}`; a 64-bit integer may be text or number in protobuf's JSON.
    private static func rejectedSpans(_ body: [UInt8]) -> Int {
        guard let answer = try? JSONParser.parse(body), let rejected = answer["partialSuccess"]?["rejectedSpans"] else { return 0 }
        return max(0, rejected.stringValue.flatMap { Int($0) } ?? rejected.integerValue.map { Int($0) } ?? 0)
    }
}
