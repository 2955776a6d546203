import Contracts
import Foundation
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    private static let known = UUID(uuidString: "018F6B2C-7A00-7ABC-8DEF-0123456789AB")!

    @Test("an id is read back as it was written")
    func roundTrip() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1_000 {
            let id = WalletID.new(milliseconds: Int64.random(in: 0..<1 << 48), using: &random)
            #expect(WalletID(id.description) == id)
        }
        for id in [WalletID(UUID(high: 0, low: 0)), WalletID(UUID(high: .max, low: .max)), WalletID(Self.known)] {
            #expect(WalletID(id.description) == id)
            #expect(id.description.utf8.count == 30)
        }
        #expect(WalletID(UUID(high: .max, low: .max)).description == "wal_7" + String(repeating: "z", count: 25))
    }

    @Test("only the one spelling of an id is an id")
    func refusals() {
        let text = WalletID(Self.known).description
        #expect(WalletID(text) != nil)
        #expect(TransferID(text) == nil)
        #expect(WalletID(text.uppercased()) == nil)
        #expect(WalletID("wal_" + text.dropFirst(4).uppercased()) == nil)
        #expect(WalletID("wal-" + text.dropFirst(4)) == nil)
        #expect(WalletID(String(text.dropLast())) == nil)
        #expect(WalletID(text + "0") == nil)
        #expect(WalletID("wal_8" + text.dropFirst(5)) == nil)
        #expect(WalletID("") == nil)
        for letter in ["i", "l", "o", "u", "é", " "] {
            #expect(WalletID(text.dropLast() + letter) == nil)
        }
    }

    @Test("ids sort by the time they were made, as text and as values")
    func order() {
        var random = SystemRandomNumberGenerator()
        let times: [Int64] = [0, 1, 999, 1_000, 1_763_700_000_000, 1_763_700_000_001, (1 << 48) - 1]
        let ids = times.map { TransferID.new(milliseconds: $0, using: &random) }
        #expect(ids.shuffled().sorted() == ids)
        #expect(ids.map(\.description).shuffled().sorted() == ids.map(\.description))
    }

    @Test("a new id is a UUIDv7 of its time")
    func version() {
        var random = SystemRandomNumberGenerator()
        let (high, low) = UUID.v7(milliseconds: 1_763_700_000_123, using: &random).halves
        #expect(high >> 16 == 1_763_700_000_123)
        #expect(high >> 12 & 0xF == 7)
        #expect(low >> 62 == 2)
    }
}
