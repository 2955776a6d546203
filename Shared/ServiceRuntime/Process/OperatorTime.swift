package import Contracts

/// A time as operators write it: in RFC 3339, `2026-11-21T05:00:00Z`, or how long ago, `90m` or `24h`.
package enum OperatorTime {
    /// The time, or nil when the text is neither.
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        Timestamp(rfc3339: text, rounding: .down) ?? DurationText.parse(text).map { now.earlier(by: $0) }
    }
}
