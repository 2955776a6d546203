package import Contracts

/// A stretch of one wallet's time for which at most one velocity alert is raised: from its start, included, for the length of the rule's
/// window. The stretches of a wallet lie side by side from the Unix epoch on.
package struct DebitWindow: Sendable, Hashable {
    package let walletID: WalletID
    package let start: Timestamp

    package init(walletID: WalletID, start: Timestamp) {
        self.walletID = walletID
        self.start = start
    }
}

/// More debits of one wallet than the limit within the window that ends with one of them.
///
/// Counted is a window that slides: it ends with a debit and includes that one, but not one that is a whole window older. Alerts are
/// raised per stretch of time (``DebitWindow``) in which such a debit lies. Both are told by the set of debits alone, and a debit more
/// never takes an alert back; so it does not matter in which order debits arrive, or how often. A burst across the edge of a stretch
/// raises two alerts.
package struct VelocityRule: Sendable, Hashable {
    package static let limits = 1...1_000
    /// A second to a day.
    package static let windowSeconds: ClosedRange<Int64> = 1...86_400

    /// So many debits are no alert yet.
    package let limit: Int
    package let windowSeconds: Int64

    package init(limit: Int, windowSeconds: Int64) {
        self.limit = limit
        self.windowSeconds = windowSeconds
    }

    private var lengthMicroseconds: Int64 { windowSeconds * 1_000_000 }

    /// The stretches in which these debits can bring about an alert: the one that a debit lies in, and the next, whose first debits are
    /// counted together with it. Each once, in order.
    package func windows(touchedBy debits: [CustomerDebit]) -> [DebitWindow] {
        var windows: Set<DebitWindow> = []
        for debit in debits {
            let start = start(of: debit.occurredAt)
            windows.insert(DebitWindow(walletID: debit.walletID, start: start))
            windows.insert(DebitWindow(walletID: debit.walletID, start: end(of: start)))
        }
        return windows.sorted { ($0.walletID, $0.start) < ($1.walletID, $1.start) }
    }

    /// The first debit in a stretch at which there were too many.
    ///
    /// - Parameter debits: of the wallet: the first `limit` + 1 of the stretch and, of the window's length before it, the last `limit`,
    ///   or more; in any order.
    package func firstMatch(in window: DebitWindow, among debits: [CustomerDebit]) -> CustomerDebit? {
        let debits = debits.sorted(by: CustomerDebit.precedes)
        let end = end(of: window.start)
        for index in debits.indices.dropFirst(limit) {
            let debit = debits[index]
            guard debit.occurredAt >= window.start else { continue }
            guard debit.occurredAt < end else { return nil }
            let age = debit.occurredAt.microsecondsSinceUnixEpoch - debits[index - limit].occurredAt.microsecondsSinceUnixEpoch
            if age < lengthMicroseconds { return debit }
        }
        return nil
    }

    /// - Parameter count: of the debits in the window that ends with the matched one, which is included.
    package func match(_ debit: CustomerDebit, in window: DebitWindow, count: Int64) -> RuleMatch {
        RuleMatch(
            finding: .velocity(count: count, limit: Int64(limit), windowSeconds: windowSeconds), debit: debit, window: window)
    }

    /// The start of the stretch that an instant lies in.
    package func start(of time: Timestamp) -> Timestamp {
        let (time, length) = (time.microsecondsSinceUnixEpoch, lengthMicroseconds)
        let remainder = time % length
        return Timestamp(microsecondsSinceUnixEpoch: time - (remainder < 0 ? remainder + length : remainder))
    }

    private func end(of start: Timestamp) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: start.microsecondsSinceUnixEpoch + lengthMicroseconds)
    }
}
