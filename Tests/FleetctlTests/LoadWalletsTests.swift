import Contracts
import Fleetctl
import Foundation
import Testing

@Suite("Load: who pays whom")
struct LoadWalletsTests {
    private let ids = (0..<5).map { _ in WalletID(UUID()) }
    private var text: String { ids.map { "\($0)\n" }.joined() }

    @Test("a random pair is two different wallets, and every ordered pair occurs")
    func randomPairs() throws {
        let wallets = try LoadWallets(parsing: text, pattern: .random)
        var generator = SystemRandomNumberGenerator()
        var seen: Set<[WalletID]> = []
        for _ in 0..<2_000 {
            let (source, destination) = wallets.pair(using: &generator)
            #expect(source != destination)
            seen.insert([source, destination])
        }
        #expect(seen.count == ids.count * (ids.count - 1))
    }

    @Test("the hot wallet is the first, always credited, and paid by all others")
    func hotPairs() throws {
        let wallets = try LoadWallets(parsing: text, pattern: .hot)
        var generator = SystemRandomNumberGenerator()
        var sources: Set<WalletID> = []
        for _ in 0..<500 {
            let (source, destination) = wallets.pair(using: &generator)
            #expect(destination == ids[0])
            sources.insert(source)
        }
        #expect(sources == Set(ids.dropFirst()))
    }

    @Test("ids are taken as written and as UUIDs")
    func spellings() throws {
        let lines = "\(ids[0])\n\(ids[1].uuid.uuidString.lowercased())\n"
        var generator = SystemRandomNumberGenerator()
        let (source, destination) = try LoadWallets(parsing: lines, pattern: .hot).pair(using: &generator)
        #expect(source == ids[1])
        #expect(destination == ids[0])
    }

    @Test("a list that is none is refused by its line")
    func refusals() {
        #expect(throws: LoadWallets.Failure.noWallet(line: 2)) { try LoadWallets(parsing: "\(ids[0])\nusr_1\n", pattern: .random) }
        #expect(throws: LoadWallets.Failure.tooFew) { try LoadWallets(parsing: "\(ids[0])\n", pattern: .random) }
        #expect(throws: LoadWallets.Failure.unreadable(path: "/nonexistent/wallets")) {
            try LoadWallets(path: "/nonexistent/wallets", pattern: .random)
        }
    }
}
