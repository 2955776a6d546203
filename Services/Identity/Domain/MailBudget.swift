import Contracts

/// How many mails anybody may make this service send, in windows of time.
///
/// It holds for mails that strangers can ask for, to whatever address, known or not (ID-13). A notice to an account's owner about what
/// happened to the account is no such mail.
package struct MailBudget: Sendable, Hashable {
    /// At most `count` in any `seconds`.
    package struct Limit: Sendable, Hashable {
        let count: Int
        let seconds: Int64
    }

    private let limits: [Limit]

    /// Per address.
    package static let ofAddress = MailBudget(limits: [
        Limit(count: 1, seconds: 60), Limit(count: 5, seconds: 3_600), Limit(count: 10, seconds: 86_400),
    ])
    /// Per network of a caller (a /24 or /64), which many people may share.
    package static let ofNetwork = MailBudget(limits: [
        Limit(count: 10, seconds: 60), Limit(count: 50, seconds: 3_600), Limit(count: 100, seconds: 86_400),
    ])
    /// No window is longer: times before it count for nothing.
    package static let longestSeconds: Int64 = 86_400

    /// Whether one more may be sent after those that were.
    func allows(after sent: [Timestamp], at now: Timestamp) -> Bool {
        limits.allSatisfy { limit in sent.count { isWithin(limit.seconds, $0, now) } < limit.count }
    }

    /// The times to keep, once another was sent.
    func adding(_ now: Timestamp, to sent: [Timestamp]) -> [Timestamp] { sent.filter { isWithin(Self.longestSeconds, $0, now) } + [now] }

    /// A time ahead of the clock counts, as one that was just now.
    private func isWithin(_ seconds: Int64, _ time: Timestamp, _ now: Timestamp) -> Bool {
        now.microsecondsSinceUnixEpoch - time.microsecondsSinceUnixEpoch < seconds * 1_000_000
    }
}
