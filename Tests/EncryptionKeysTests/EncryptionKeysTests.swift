import Crypto
import EncryptionKeys
import Foundation
import TestSupport
import Testing

@Suite struct EncryptionKeysTests {
    private func key(_ id: String, _ byte: UInt8) -> EncryptionKeys.Key {
        EncryptionKeys.Key(id: id, secret: SymmetricKey(data: [UInt8](repeating: byte, count: 32)))
    }

    @Test func `the first key encrypts and all decrypt, whatever their order becomes`() throws {
        let keys = try #require(EncryptionKeys([key("b", 2), key("a", 1)]))
        let sealed = try keys.seal([1, 2, 3], for: "c")
        #expect(sealed.keyID == "b" && sealed.bytes.count == 3 + 12 + 16)
        #expect(try keys.open(sealed, for: "c") == [1, 2, 3])
        #expect(try keys.seal([1, 2, 3], for: "c") != sealed, "a nonce must not be used twice")
        let rotated = try #require(EncryptionKeys([key("c", 3), key("b", 2)]))
        #expect(try rotated.open(sealed, for: "c") == [1, 2, 3])
    }

    @Test func `what is bound to another context, changed, cut or under a key that is gone does not open`() throws {
        let keys = try #require(EncryptionKeys([key("a", 1)]))
        let sealed = try keys.seal([1, 2, 3], for: "c")
        var changed = sealed.bytes
        changed[14] ^= 1
        let others = [
            EncryptionKeys.Sealed(keyID: "a", bytes: changed), .init(keyID: "a", bytes: Array(sealed.bytes.dropLast())), .init(keyID: "a", bytes: []),
            .init(keyID: "b", bytes: sealed.bytes),
        ]
        for other in others {
            #expect(throws: EncryptionKeys.DoesNotOpen.self) { try keys.open(other, for: "c") }
        }
        #expect(throws: EncryptionKeys.DoesNotOpen.self) { try keys.open(sealed, for: "d") }
        let stolen = try #require(EncryptionKeys([key("a", 9)]))
        #expect(throws: EncryptionKeys.DoesNotOpen.self) { try stolen.open(sealed, for: "c") }
    }

    @Test func `there is a key, ids are there once, and derived keys are neither each other nor the key`() throws {
        #expect(EncryptionKeys([]) == nil && EncryptionKeys([key("a", 1), key("a", 2)]) == nil)
        #expect(EncryptionKeys((0...16).map { key("\($0)", 1) }) == nil && EncryptionKeys((0..<16).map { key("\($0)", 1) }) != nil)
        let keys = try #require(EncryptionKeys([key("a", 1)]))
        #expect(keys.derivedKey(for: "x") == keys.derivedKey(for: "x") && keys.derivedKey(for: "x") != keys.derivedKey(for: "y"))
        #expect(keys.derivedKey(for: "x") != key("a", 1).secret)
    }
}

@Suite struct EncryptionKeyFileTests {
    private static let secret = Data(repeating: 7, count: 32).base64EncodedString()

    @Test func `keys come in the order of the file`() throws {
        let other = Data(repeating: 8, count: 32).base64EncodedString()
        let text = "{\"keys\":[{\"keyid\":\"b\",\"secret\":\"\(Self.secret)\"},{\"keyid\":\"a\",\"secret\":\"\(other)\"}]}"
        #expect(try EncryptionKeyFile.parse(Array(text.utf8)).seal([1], for: "c").keyID == "b")
    }

    @Test(arguments: [
        "", "[]", "{}", "{\"keys\":[]}", "{\"keys\":[{\"keyid\":\"a\"}]}", "{\"keys\":[{\"keyid\":\"a\",\"secret\":\"c2hvcnQ=\"}]}",
        "{\"keys\":[{\"keyid\":\"\",\"secret\":\"\(secret)\"}]}", "{\"keys\":[{\"keyid\":\"a\",\"secret\":\"\(secret)\",\"note\":1}]}",
        "{\"keys\":[{\"keyid\":\"a\",\"secret\":\"\(secret)\"},{\"keyid\":\"a\",\"secret\":\"\(secret)\"}]}",
        "{\"keys\":[{\"keyid\":\"a\",\"secret\":\"\(secret)\"}],\"other\":1}",
    ]) func `a file that is not as it must be is refused, and not quoted`(text: String) {
        let fault = #expect(throws: EncryptionKeyFile.Fault.self) { try EncryptionKeyFile.parse(Array(text.utf8)) }
        #expect(fault?.description.contains(Self.secret) == false)
    }

    @Test func `a file that others may write, that is too large or missing is refused`() throws {
        let folder = try TemporaryFolder("encryption-keys")
        let path = "\(folder.path)/keys.json"
        try Data("{\"keys\":[{\"keyid\":\"a\",\"secret\":\"\(Self.secret)\"}]}".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        _ = try EncryptionKeyFile.read(path)
        try FileManager.default.setAttributes([.posixPermissions: 0o602], ofItemAtPath: path)
        #expect(throws: EncryptionKeyFile.Fault.self) { try EncryptionKeyFile.read(path) }
        #expect(throws: EncryptionKeyFile.Fault.self) { try EncryptionKeyFile.read(folder.path) }
        #expect(throws: EncryptionKeyFile.Fault.self) { try EncryptionKeyFile.read("\(folder.path)/none") }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try Data(repeating: 32, count: EncryptionKeyFile.maximumBytes + 1).write(to: URL(fileURLWithPath: path))
        #expect(throws: EncryptionKeyFile.Fault.self) { try EncryptionKeyFile.read(path) }
    }
}
