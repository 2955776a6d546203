package import Contracts

/// What staff may do to a wallet. Every change raises the version by one and is kept with its reason.
package enum WalletChange: Sendable, Hashable {
    case freeze(FreezeBlock)
    case unfreeze
    case close
    case setOverdraftLimit(Int64, Currency)

    package var kind: WalletChangeKind {
        switch self {
        case .freeze: .frozen
        case .unfreeze: .unfrozen
        case .close: .closed
        case .setOverdraftLimit: .overdraftLimitSet
        }
    }

    /// The wallet after the change.
    ///
    /// A wallet that is frozen may be frozen otherwise, an open one unfrozen again: both are recorded and change no more than they say.
    /// - Throws: ``TransferRejection`` when the wallet's state forbids it; closing is final and needs an empty wallet.
    package func applied(to wallet: WalletState) throws(TransferRejection) -> WalletState {
        guard wallet.status != .closed else { throw .walletClosed }
        var wallet = wallet
        switch self {
        case .freeze(.debits): wallet.status = .frozenDebits
        case .freeze(.all): wallet.status = .frozenAll
        case .unfreeze: wallet.status = .open
        case .close:
            guard wallet.balanceMinor == 0, wallet.heldMinor == 0 else { throw .balanceNotZero }
            wallet.status = .closed
        case .setOverdraftLimit(let limit, let currency):
            guard currency == wallet.currency else { throw .currencyMismatch }
            guard wallet.balanceMinor - wallet.heldMinor >= -limit else { throw .overdraftInUse }
            wallet.overdraftLimitMinor = limit
        }
        wallet.version += 1
        return wallet
    }
}
