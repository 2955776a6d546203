package import Contracts
import FoundationEssentials

/// The wallets between which the generator moves money, and which of them pays whom.
package struct LoadWallets: Sendable {
    /// Why a list of wallets cannot be used; safe to log.
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case unreadable(path: String)
        case noWallet(line: Int)
        case tooFew

        package var description: String {
            switch self {
            case .unreadable(let path): "\(path) cannot be read"
            case .noWallet(let line): "line \(line) of the wallets is neither a wal_… id nor a UUID"
            case .tooFew: "a transfer needs two wallets"
            }
        }
    }

    /// Which wallets are credited.
    package enum Pattern: Sendable {
        /// Source and destination are random.
        case random
        /// The first wallet is always the destination.
        case hot
    }

    private let ids: [WalletID]
    private let pattern: Pattern

    /// - Parameter text: One id per line, as written (`wal_…`) or as a UUID; empty lines are left out.
    package init(parsing text: String, pattern: Pattern) throws(Failure) {
        var ids: [WalletID] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
            guard let id = WalletID(line) ?? UUID(uuidString: String(line)).map({ WalletID($0) }) else { throw .noWallet(line: index + 1) }
            ids.append(id)
        }
        guard ids.count >= 2 else { throw .tooFew }
        self.ids = ids
        self.pattern = pattern
    }

    /// Reads the list from a file.
    package init(path: String, pattern: Pattern) throws(Failure) {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path) }
        try self.init(parsing: String(decoding: bytes, as: UTF8.self), pattern: pattern)
    }

    /// Two different wallets.
    package func pair(using generator: inout some RandomNumberGenerator) -> (source: WalletID, destination: WalletID) {
        let destination = pattern == .hot ? 0 : Int.random(in: 0..<ids.count, using: &generator)
        // Drawn from one fewer and moved past the destination, so that every other wallet is equally likely.
        let draw = Int.random(in: 0..<(ids.count - 1), using: &generator)
        return (ids[draw < destination ? draw : draw + 1], ids[destination])
    }
}
