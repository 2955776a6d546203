package import Contracts

/// As whom a request comes, as far as wallets are concerned. Routes have already decided that the caller may use them at all.
package enum WalletAccess: Sendable, Hashable {
    /// A user, through mobile-bff: the wallets that they own.
    case user(UserID)
    /// A client, through api-gateway: the wallets that it opened.
    case client(String)
    /// Staff, through backoffice or fleetctl: every wallet.
    case staff(String)

    /// Who it is, as it is written into rows: `user:usr_…`, `client:acme`, `staff:usr_…`.
    package var principal: String {
        switch self {
        case .user(let id): "user:\(id)"
        case .client(let id): "client:\(id)"
        case .staff(let id): "staff:\(id)"
        }
    }

    /// Whether the wallet may be read and debited. One that may not is answered like one that does not exist.
    package func reaches(_ wallet: WalletState) -> Bool {
        switch self {
        case .user(let id): wallet.ownerID == id && !wallet.isWorld
        case .client: wallet.openedBy == principal && !wallet.isWorld
        case .staff: true
        }
    }
}
