package import Contracts

/// A wallet as its locked row shows it.
package struct WalletState: Sendable, Hashable {
    package let id: WalletID
    package let ownerID: UserID?
    package let openedBy: String
    package let currency: Currency
    /// A wallet of the world outside: it has no floor, and no request may name it.
    package let isWorld: Bool
    package var balanceMinor: Int64
    package var heldMinor: Int64
    package var overdraftLimitMinor: Int64
    package var status: WalletStatus
    package var version: Int64
    package let openedAt: Timestamp
    /// The latest time of anything that happened to it; see ``PostingTimes``.
    package var lastPostedAt: Timestamp

    package init(
        id: WalletID, ownerID: UserID?, openedBy: String, currency: Currency, isWorld: Bool = false, balanceMinor: Int64 = 0,
        heldMinor: Int64 = 0, overdraftLimitMinor: Int64 = 0, status: WalletStatus = .open, version: Int64 = 0, openedAt: Timestamp,
        lastPostedAt: Timestamp
    ) {
        self.id = id
        self.ownerID = ownerID
        self.openedBy = openedBy
        self.currency = currency
        self.isWorld = isWorld
        self.balanceMinor = balanceMinor
        self.heldMinor = heldMinor
        self.overdraftLimitMinor = overdraftLimitMinor
        self.status = status
        self.version = version
        self.openedAt = openedAt
        self.lastPostedAt = lastPostedAt
    }

    /// The wallet after a debit of `amountMinor`, part of a posting of that time.
    ///
    /// - Throws: ``TransferRejection`` when the wallet's state, its floor or the range of balances forbids it.
    package func debited(by amountMinor: Int64, at postedAt: Timestamp) throws(TransferRejection) -> WalletState {
        switch status {
        case .open: break
        case .frozenDebits, .frozenAll: throw .walletFrozen
        case .closed: throw .walletClosed
        }
        let balance = try self.balance(plus: -amountMinor)
        if !isWorld {
            // Held and limit are within ±(2⁵³ - 1), so their sums stay far from the end of Int64.
            guard balance - heldMinor >= -overdraftLimitMinor else { throw .insufficientFunds }
        }
        return moved(to: balance, at: postedAt)
    }

    /// The wallet after a credit of `amountMinor`, part of a posting of that time.
    ///
    /// - Throws: ``TransferRejection`` when the wallet's state or the range of balances forbids it.
    package func credited(by amountMinor: Int64, at postedAt: Timestamp) throws(TransferRejection) -> WalletState {
        switch status {
        case .open, .frozenDebits: break
        case .frozenAll: throw .walletFrozen
        case .closed: throw .walletClosed
        }
        return moved(to: try balance(plus: amountMinor), at: postedAt)
    }

    /// The wallet with `amountMinor` more set aside.
    ///
    /// - Throws: ``TransferRejection`` when the wallet's state, its floor or the range of holds forbids it.
    package func holding(_ amountMinor: Int64, at time: Timestamp) throws(TransferRejection) -> WalletState {
        switch status {
        case .open: break
        case .frozenDebits, .frozenAll: throw .walletFrozen
        case .closed: throw .walletClosed
        }
        guard let held = MinorUnits.sum(heldMinor, amountMinor) else { throw .balanceOutOfRange }
        guard balanceMinor - held >= -overdraftLimitMinor else { throw .insufficientFunds }
        var wallet = self
        wallet.heldMinor = held
        wallet.version += 1
        wallet.lastPostedAt = max(lastPostedAt, time)
        return wallet
    }

    /// The wallet with `amountMinor` less set aside: a credit of what is available, which no state of the wallet forbids.
    package func released(_ amountMinor: Int64, at time: Timestamp) -> WalletState {
        var wallet = self
        wallet.heldMinor -= amountMinor
        wallet.version += 1
        wallet.lastPostedAt = max(lastPostedAt, time)
        return wallet
    }

    /// A customer's balance stays within what every JSON reader keeps exactly. The world's is shown to nobody and has all of Int64: what
    /// one customer deposits must not take the room of the others.
    private func balance(plus amountMinor: Int64) throws(TransferRejection) -> Int64 {
        guard isWorld else {
            guard let balance = MinorUnits.sum(balanceMinor, amountMinor) else { throw .balanceOutOfRange }
            return balance
        }
        let (balance, overflow) = balanceMinor.addingReportingOverflow(amountMinor)
        guard !overflow else { throw .balanceOutOfRange }
        return balance
    }

    private func moved(to balance: Int64, at postedAt: Timestamp) -> WalletState {
        var wallet = self
        wallet.balanceMinor = balance
        wallet.version += 1
        wallet.lastPostedAt = entryTime(postedAt)
        return wallet
    }
}
