import Contracts
import FoundationEssentials
import Postgres

/// The SQL of lists of wallets, and of a transfer by its reference.
struct ListingStore {
    /// Which wallets a list goes through; what of them its reader may see is decided by ``WalletAccess``.
    enum Wallets: Hashable {
        case ownedBy(UserID)
        case openedBy(String)
    }

    /// Wallets before an id, newest first.
    func walletsQuery(_ wallets: Wallets, before last: WalletID?, limit: Int) -> PostgresQuery {
        let before = last?.uuid ?? UUID(high: .max, low: .max)
        return switch wallets {
        case .ownedBy(let owner):
            "SELECT \(unsafeSQL: WalletState.columns) FROM latest_wallets_of_owner(\(owner.uuid), \(before), \(Int64(limit)))"
        case .openedBy(let opener):
            "SELECT \(unsafeSQL: WalletState.columns) FROM latest_wallets_of_opener(\(opener), \(before), \(Int64(limit)))"
        }
    }

    func walletsQuery(_ ids: [WalletID]) -> PostgresQuery {
        "SELECT \(unsafeSQL: WalletState.columns) FROM wallets WHERE id = ANY(\(ids.map(\.uuid)))"
    }

    func wallets(_ session: PostgresSession, _ query: PostgresQuery) throws -> [WalletState] {
        try session.query(query).map(WalletState.init(row:))
    }

    func referenceQuery(_ reference: String, orderedBy principal: String) -> PostgresQuery {
        "SELECT id FROM transfers WHERE ordered_by = \(principal) AND reference = \(reference)"
    }
}
