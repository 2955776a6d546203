import Contracts

extension Money {
    /// An amount of the demo's currency.
    ///
    /// - Parameter cents: at least one.
    static func euros(_ cents: Int64) -> Money {
        guard let euro = Currency("EUR"), let money = Money(amountMinor: cents, currency: euro) else {
            preconditionFailure("\(cents) is not an amount of the demo")
        }
        return money
    }
}

extension DemoWallets {
    /// What the first user pays to the second.
    func transfer(_ cents: Int64) -> TransferRequest {
        TransferRequest(sourceWalletID: first, destinationWalletID: second, money: .euros(cents))
    }
}
