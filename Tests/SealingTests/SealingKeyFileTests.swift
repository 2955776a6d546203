import Contracts
import Foundation
import Sealing
import TestSupport
import Testing

@Suite("The files of sealing keys")
struct SealingKeyFileTests {
    private let event = EventID(UUID())

    @Test("only the owner can read the private file, and the public one holds no private key")
    func modes() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        func mode(_ path: String) throws -> Int? {
            (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
        }
        #expect(try mode(files.privatePath) == 0o600)
        #expect(try mode(files.publicPath) == 0o644)
        #expect(try !String(contentsOfFile: files.publicPath, encoding: .utf8).contains("private_key"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: files.folder.path).sorted() == ["private.json", "public.json"])
    }

    @Test("keys that are there are not overwritten")
    func kept() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let before = try Data(contentsOf: URL(filePath: files.privatePath))
        #expect(throws: SealingKeyFault.self) { try files.generator.make(id: "two") }
        #expect(throws: SealingKeyFault.self) { try files.generator.rotate(id: "one") }
        #expect(try Data(contentsOf: URL(filePath: files.privatePath)) == before)
    }

    @Test("after a rotation the new key seals, and what was sealed to the one before still opens; one rotation later it doesn't")
    func rotation() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let old = try SealingKey(file: files.publicPath).seal([1, 2, 3], boundTo: event)
        try files.generator.rotate(id: "two")
        let new = try SealingKey(file: files.publicPath).seal([4, 5], boundTo: event)
        #expect(new.keyID == "two")
        let keys = try OpeningKeys(file: files.privatePath)
        #expect(try keys.open(old, boundTo: event) == [1, 2, 3])
        #expect(try keys.open(new, boundTo: event) == [4, 5])
        try files.generator.rotate(id: "three")
        let later = try OpeningKeys(file: files.privatePath)
        #expect(try later.open(new, boundTo: event) == [4, 5])
        #expect(throws: OpeningFailure.unknownKey) { try later.open(old, boundTo: event) }
    }

    private static let good = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

    @Test(
        "a file that can't be used is refused without a word of what is in it",
        arguments: [
            ("", "not valid JSON"), (#"{"keys": []}"#, "1 to 4 keys"), (#"{"keys": [], "more": 1}"#, "one member"),
            (#"{"keys": [{"keyid": "a", "private_key": "AAECAw=="}]}"#, "32 bytes"),
            (#"{"keys": [{"keyid": "a", "public_key": "\#(good)"}]}"#, "private_key"),
            (#"{"keys": [{"keyid": "a b", "private_key": "\#(good)"}]}"#, "visible ASCII"),
            (#"{"keys": [{"keyid": "a", "private_key": "\#(good)"}, {"keyid": "a", "private_key": "\#(good)"}]}"#, "twice"),
        ])
    func refused(text: String, part: String) throws {
        let files = try KeyFiles()
        try files.write(text, to: files.privatePath)
        let fault = #expect(throws: SealingKeyFault.self) { try OpeningKeys(file: files.privatePath) }
        #expect(fault?.description.contains(part) == true, "\(fault?.description ?? "")")
        #expect(fault?.description.contains("AQIDBA") == false)
    }

    @Test("a missing file, a folder, and a file that others may write are refused")
    func places() throws {
        let files = try KeyFiles()
        #expect(throws: SealingKeyFault.self) { try SealingKey(file: files.publicPath) }
        #expect(throws: SealingKeyFault.self) { try SealingKey(file: files.folder.path) }
        try files.generator.make(id: "one")
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: files.publicPath)
        #expect(throws: SealingKeyFault.self) { try SealingKey(file: files.publicPath) }
    }
}
