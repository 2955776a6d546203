import Contracts
import Foundation

@testable import OpsRisk

/// Debits by few words.
enum RiskSamples {
    static let rules = RiskRules(highValue: highValue("EUR=1000000,*=5000000"), velocity: VelocityRule(limit: 3, windowSeconds: 60))
    /// 2026-11-21T05:00:00Z, the start of a stretch of a minute.
    static let start: Int64 = 1_795_237_200

    static func highValue(_ text: String) -> HighValueRule {
        guard let rule = try? HighValueRule(text: text) else { preconditionFailure("\(text) is no rule") }
        return rule
    }

    static func newWallet() -> WalletID {
        var random = SystemRandomNumberGenerator()
        return .new(milliseconds: start * 1_000, using: &random)
    }

    static func newTransfer() -> TransferID {
        var random = SystemRandomNumberGenerator()
        return .new(milliseconds: start * 1_000, using: &random)
    }

    /// - Parameter second: after ``start``.
    static func time(_ second: Double) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: start * 1_000_000 + Int64((second * 1_000_000).rounded()))
    }

    static func debit(
        _ wallet: WalletID, at second: Double, _ amount: Int64 = 100, _ currency: String = "EUR", transfer: TransferID? = nil
    ) -> CustomerDebit {
        guard let currency = Currency(currency), let money = Money(amountMinor: amount, currency: currency) else {
            preconditionFailure("\(amount) \(currency) is no money")
        }
        return CustomerDebit(walletID: wallet, transferID: transfer ?? newTransfer(), money: money, occurredAt: time(second))
    }

    /// What the ledger says of a posting of this kind that debits the wallet.
    static func posting(_ kind: PostingKind, from wallet: WalletID, _ amount: Int64 = 100, at second: Double = 0) -> TransferPostedEvent {
        let debit = debit(wallet, at: second, amount)
        return TransferPostedEvent(
            transferID: debit.transferID, kind: kind, money: debit.money, originalTransferID: kind == .refund ? newTransfer() : nil,
            reference: nil, postedAt: debit.occurredAt,
            legs: [
                TransferLeg(walletID: wallet, walletVersion: 1, amountMinor: -amount, balanceAfterMinor: 0),
                TransferLeg(walletID: newWallet(), walletVersion: 1, amountMinor: amount, balanceAfterMinor: amount),
            ])
    }
}

/// What an alert is about, whichever transfer raised it.
struct AlertMatter: Hashable, Comparable {
    let rule: RiskRule
    /// The transfer of a high value; the wallet and stretch of time of a velocity.
    let about: String

    static func highValue(_ debit: CustomerDebit) -> AlertMatter { AlertMatter(rule: .highValue, about: "\(debit.transferID)") }
    static func velocity(_ window: DebitWindow) -> AlertMatter { AlertMatter(rule: .velocity, about: "\(window.walletID) \(window.start)") }

    static func < (left: AlertMatter, right: AlertMatter) -> Bool { (left.rule.rawValue, left.about) < (right.rule.rawValue, right.about) }

    /// By definition, one debit after the other: too many within the window that ends with it, and the stretch that it lies in.
    static func all(of debits: Set<CustomerDebit>, _ rules: RiskRules) -> Set<AlertMatter> {
        var matters: Set<AlertMatter> = []
        for debit in debits {
            if rules.highValue.match(debit) != nil { matters.insert(.highValue(debit)) }
            let end = debit.occurredAt.microsecondsSinceUnixEpoch
            let counted = debits.filter {
                $0.walletID == debit.walletID && $0.occurredAt <= debit.occurredAt
                    && $0.occurredAt.microsecondsSinceUnixEpoch > end - rules.velocity.windowSeconds * 1_000_000
            }
            guard counted.count > rules.velocity.limit else { continue }
            matters.insert(.velocity(DebitWindow(walletID: debit.walletID, start: rules.velocity.start(of: debit.occurredAt))))
        }
        return matters
    }
}
