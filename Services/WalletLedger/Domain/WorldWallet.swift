package import Contracts
import FoundationEssentials

/// The world outside: per currency 16 wallets without a floor, so that deposits on different writers don't wait for one row.
package enum WorldWallet {
    package static let count: UInt64 = 16

    /// The principal that their rows name as opener.
    package static let opener = "world"

    /// The one that stands opposite a customer's wallet, always the same for the same wallet.
    package static func opposite(_ wallet: WalletID, currency: Currency) -> WalletID {
        // The lowest bits of a UUIDv7 are random.
        id(currency: currency, index: wallet.uuid.halves.low % count)
    }

    package static func all(of currency: Currency) -> [WalletID] {
        (0..<count).map { id(currency: currency, index: $0) }
    }

    /// Fixed ids that no generator makes: the time of a UUIDv7 is zero in them.
    private static func id(currency: Currency, index: UInt64) -> WalletID {
        let letters = currency.code.utf8.reduce(UInt64(0)) { ($0 << 8) | UInt64($1) }
        return WalletID(UUID(high: 0x7000, low: 0x8000_0000_0000_0000 | (letters << 8) | index))
    }
}
