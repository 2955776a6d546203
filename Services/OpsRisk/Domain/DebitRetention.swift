/// How long debits are kept that nobody alerts on any more.
///
/// Measured back from the latest debit that has arrived, not from now: after an outage the consumer reads what is hours old, and needs
/// the debits of that time.
package struct DebitRetention: Sendable, Hashable {
    package let seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }
}
