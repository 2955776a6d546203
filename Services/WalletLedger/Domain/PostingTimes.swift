package import Contracts

/// The times that a group of postings gives out, all from one reading of the database server's clock after the group's last lock.
///
/// `Services/WalletLedger/TIMES.md` says what a time promises and why.
package struct PostingTimes: Sendable, Hashable {
    /// How far a wallet's last time may lie after the clock and still count: two readings that are both believed differ by twice what
    /// `ClockWitness` lets each be off, after a fail-over say. The database refuses a posting further ahead (`0019_posting_times.sql`).
    package static let tolerance = Duration.seconds(10)

    /// The server's clock. Expiry is judged by it and by nothing else.
    package let clock: Timestamp
    private let latest: Timestamp

    package init(clock: Timestamp) {
        self.clock = clock
        latest = clock.later(by: Self.tolerance)
    }

    /// Whether the wallet's last time was given out by a clock that was wrong. Such a wallet moves no other wallet's time.
    package func isAhead(_ wallet: WalletState) -> Bool { wallet.lastPostedAt > latest }

    /// The time of something that happens to these wallets: the clock's, or the last time of one of them where that is later.
    package func time(of wallets: WalletState...) -> Timestamp {
        wallets.reduce(clock) { isAhead($1) ? $0 : max($0, $1.lastPostedAt) }
    }
}

extension WalletState {
    /// The time of this wallet's next entry, given its posting's: the same, but for a wallet that is ahead. There it is the last entry's
    /// time again until the clock has passed that, for within a wallet time never runs backwards.
    package func entryTime(_ postedAt: Timestamp) -> Timestamp { max(postedAt, lastPostedAt) }
}
