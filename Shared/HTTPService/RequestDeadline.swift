import Contracts
import HTTPTypes

/// When the caller of a request gives up.
package enum RequestDeadline {
    /// A read that nobody set a deadline for; the slowest takes a fraction of it.
    package static let ofReads = Duration.seconds(5)
    /// The same for what writes: long enough for a lost connection to the database to come back.
    package static let ofWrites = Duration.seconds(15)
    /// No request is worked on for longer, whatever its caller says.
    package static let longest = Duration.seconds(60)

    static func usual(for method: HTTPRequest.Method) -> ContinuousClock.Instant {
        .now + (method == .get || method == .head ? ofReads : ofWrites)
    }

    /// - Parameters:
    ///   - header: `florin-deadline`, in Unix milliseconds.
    ///   - now: Unix microseconds.
    /// - Throws: ``Problem`` for a header that is malformed or names a time that has passed.
    static func of(_ header: String?, to method: HTTPRequest.Method, now: Int64) throws -> ContinuousClock.Instant {
        guard let header else { return usual(for: method) }
        guard let milliseconds = DecimalDigits.number(header, as: Int64.self),
            milliseconds > 0, milliseconds < Int64.max / 1_000
        else { throw Problem(.malformedRequest) }
        let remaining = milliseconds * 1_000 - now
        guard remaining > 0 else { throw Problem(.unavailable, detail: "The deadline has passed.", retryAfterSeconds: 1) }
        return .now + min(.microseconds(remaining), longest)
    }
}
