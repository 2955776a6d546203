import Contracts

extension WalletOpenedEvent {
    /// The event of an opening, from its answer.
    init(_ opened: WalletOpenedBody) {
        self.init(
            walletID: opened.id, ownerID: opened.ownerID, openedBy: opened.openedBy, currency: opened.currency, openedAt: opened.openedAt)
    }
}

extension WalletStatusChangedEvent {
    /// The event of a change, from its answer.
    init(_ change: WalletChangeBody) {
        self.init(
            walletID: change.walletID, kind: change.kind, status: change.status, overdraftLimitMinor: change.overdraftLimitMinor,
            version: change.version, reason: change.reason, changedAt: change.changedAt)
    }
}
