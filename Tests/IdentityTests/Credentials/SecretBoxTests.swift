import Crypto
import EncryptionKeys
import Testing

@testable import Identity

@Suite struct SecretBoxTests {
    private func box(_ keys: (id: String, byte: UInt8)...) throws -> SecretBox {
        SecretBox(
            try #require(
                EncryptionKeys(keys.map { EncryptionKeys.Key(id: $0.id, secret: SymmetricKey(data: [UInt8](repeating: $0.byte, count: 32))) })))
    }

    @Test func `a secret opens for its row alone, and under a new first key while the old one is kept`() throws {
        let sealed = try box(("2026-11", 1)).seal([1, 2, 3], for: "totp_credentials/1")
        #expect(sealed.count == 1 + 7 + 12 + 3 + 16 && sealed[0] == 7 && Array(sealed[1...7]) == Array("2026-11".utf8))
        #expect(try box(("2027-01", 2), ("2026-11", 1)).open(sealed, for: "totp_credentials/1") == [1, 2, 3])
        #expect(throws: EncryptionKeys.DoesNotOpen.self) { try box(("2026-11", 1)).open(sealed, for: "totp_credentials/2") }
        #expect(throws: EncryptionKeys.DoesNotOpen.self) { try box(("2027-01", 2)).open(sealed, for: "totp_credentials/1") }
    }

    @Test func `whatever is cut or changed does not open`() throws {
        let box = try box(("a", 1))
        let sealed = try box.seal([1, 2, 3], for: "row")
        for length in 0..<sealed.count {
            #expect(throws: EncryptionKeys.DoesNotOpen.self) { try box.open(Array(sealed[..<length]), for: "row") }
        }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 0x80
            #expect(throws: EncryptionKeys.DoesNotOpen.self) { try box.open(changed, for: "row") }
        }
    }
}
