import Foundation
import RequestSigning
import Testing

/// A folder of its own that is gone with the suite's instance.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "request-signing-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

@Suite("Key store and generator")
struct SigningKeyStoreTests {
    private let folder: TemporaryFolder
    private let file: String

    init() throws {
        folder = try TemporaryFolder()
        file = folder.path + "/wallet-ledger.keys.json"
    }

    private func keys(service: String = "wallet-ledger", keyID: String) throws -> Data {
        let inbound = [SigningKeys.Inbound(caller: "mobile-bff", key: SigningFixture.key(keyID, 1))]
        return Data(SigningKeyFile.render(try SigningKeys(service: service, outbound: [], inbound: inbound)))
    }

    private func keyIDs(_ store: SigningKeyStore) -> [String] { store.current.inbound.map(\.key.keyID) }

    @Test("a replaced file is taken over, an unchanged one is not read again")
    func reload() throws {
        try keys(keyID: "one").write(to: URL(fileURLWithPath: file))
        let store = try SigningKeyStore(path: file)
        #expect(keyIDs(store) == ["one"])
        #expect(try !store.reloadIfChanged())
        // Same length, so that only inode and time tell the difference.
        try keys(keyID: "two").write(to: URL(fileURLWithPath: file), options: .atomic)
        #expect(try store.reloadIfChanged())
        #expect(keyIDs(store) == ["two"])
        #expect(try !store.reloadIfChanged())
    }

    @Test("a file swapped by its folder's link, as a mounted secret is, is taken over")
    func linkedFolder() throws {
        let manager = FileManager.default
        for name in ["one", "two"] {
            try manager.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: false)
            try keys(keyID: name).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)/keys.json"))
        }
        let link = folder.path + "/data"
        try manager.createSymbolicLink(atPath: link, withDestinationPath: "one")
        let store = try SigningKeyStore(path: link + "/keys.json")
        try manager.removeItem(atPath: link)
        try manager.createSymbolicLink(atPath: link, withDestinationPath: "two")
        #expect(try store.reloadIfChanged())
        #expect(keyIDs(store) == ["two"])
    }

    @Test("a bad new file is reported at every look and the old keys stay")
    func badReload() throws {
        try keys(keyID: "one").write(to: URL(fileURLWithPath: file))
        let store = try SigningKeyStore(path: file)
        try Data("{".utf8).write(to: URL(fileURLWithPath: file))
        for _ in 0..<2 {
            #expect(throws: SigningKeysError.invalid("", .notJSON)) { try store.reloadIfChanged() }
        }
        try keys(service: "identity", keyID: "two").write(to: URL(fileURLWithPath: file))
        #expect(throws: SigningKeysError.invalid("/service", .serviceChanged)) { try store.reloadIfChanged() }
        try FileManager.default.removeItem(atPath: file)
        #expect(throws: SigningKeysError.unreadable(path: file, errno: ENOENT)) { try store.reloadIfChanged() }
        #expect(keyIDs(store) == ["one"])
        try keys(keyID: "three").write(to: URL(fileURLWithPath: file))
        #expect(try store.reloadIfChanged())
        #expect(keyIDs(store) == ["three"])
    }

    @Test("a missing file and one that is too large stop the start")
    func unusable() throws {
        #expect(throws: SigningKeysError.unreadable(path: file, errno: ENOENT)) { try SigningKeyStore(path: file) }
        #expect(throws: SigningKeysError.unreadable(path: folder.path, errno: EISDIR)) { try SigningKeyStore(path: folder.path) }
        try Data(repeating: 0x20, count: SigningKeyFile.maximumBytes + 1).write(to: URL(fileURLWithPath: file))
        #expect(throws: SigningKeysError.tooLarge(path: file)) { try SigningKeyStore(path: file) }
    }

    @Test("keys in use are exchanged without a request in flight noticing")
    func requestsAcrossReload() throws {
        var generator = SystemRandomNumberGenerator()
        let keyFolder = SigningKeyFolder(path: folder.path + "/keys")
        let pair = SigningKeyGenerator.Pair(caller: "mobile-bff", callee: "wallet-ledger")
        func generate() throws {
            let keys = try SigningKeyGenerator.generate(pairs: [pair], now: SigningFixture.now, using: &generator)
            _ = try keyFolder.write(keys, replacing: true)
        }
        try generate()
        let caller = try SigningKeyStore(path: keyFolder.path(of: "mobile-bff"))
        let callee = try SigningKeyStore(path: keyFolder.path(of: "wallet-ledger"))
        let signer = RequestSigner(keys: caller, callee: "wallet-ledger")
        let verifier = RequestVerifier(keys: callee, replayWindow: InProcessReplayWindow(startedAt: 0))
        func isAccepted() throws -> Bool {
            var request = SigningFixture.request()
            try signer.sign(&request, body: SigningFixture.body, created: SigningFixture.now)
            return (try? verifier.verifyHead(request, now: SigningFixture.now) { $0 == "mobile-bff" }) != nil
        }
        #expect(try isAccepted())
        try generate()
        #expect(try caller.reloadIfChanged())
        #expect(try !isAccepted())
        #expect(try callee.reloadIfChanged())
        #expect(try isAccepted())
    }

    /// Who calls whom, of some fleet.
    private static let pairs =
        ["api-gateway", "backoffice", "fleetctl", "mobile-bff"].map { SigningKeyGenerator.Pair(caller: $0, callee: "wallet-ledger") }
        + [.init(caller: "backoffice", callee: "ops-risk")]

    @Test("a fleet's files hold each pair's secret twice, are their owner's only, and are not overwritten unasked")
    func generatedFiles() throws {
        var generator = SystemRandomNumberGenerator()
        let keys = try SigningKeyGenerator.generate(pairs: Self.pairs, now: SigningFixture.now, using: &generator)
        let callees = ["ops-risk", "wallet-ledger"]
        #expect(keys.map(\.service) == ["api-gateway", "backoffice", "fleetctl", "mobile-bff"] + callees)
        for pair in Self.pairs {
            let (caller, callee) = (keys.first { $0.service == pair.caller }, keys.first { $0.service == pair.callee })
            let outbound = try #require(caller?.outboundKey(to: pair.callee, at: SigningFixture.now))
            let inbound = try #require(callee?.inboundKey(id: outbound.keyID, at: SigningFixture.now))
            #expect(inbound.caller == pair.caller)
            #expect(inbound.key.secret == outbound.secret)
        }
        // And of nobody else.
        #expect(keys.map(\.outbound.count).reduce(0, +) == Self.pairs.count)
        #expect(keys.map(\.inbound.count).reduce(0, +) == Self.pairs.count)
        #expect(keys.allSatisfy { callees.contains($0.service) ? $0.outbound.isEmpty : $0.inbound.isEmpty })

        let keyFolder = SigningKeyFolder(path: folder.path + "/keys")
        let paths = try keyFolder.write(keys, replacing: false)
        #expect(paths == keys.map { keyFolder.path(of: $0.service) })
        for path in paths {
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: keyFolder.path).count == paths.count)
        let before = try Data(contentsOf: URL(fileURLWithPath: paths[0]))
        #expect(throws: SigningKeyFolder.Failure.exists(path: paths[0])) { try keyFolder.write(keys, replacing: false) }
        let others = try SigningKeyGenerator.generate(pairs: Self.pairs, now: SigningFixture.now, using: &generator)
        #expect(try keyFolder.write(others, replacing: true) == paths)
        #expect(try Data(contentsOf: URL(fileURLWithPath: paths[0])) != before)
    }

    @Test("a replaced file keeps its mode and owner, and no draft stays, not even that of a process that was killed")
    func replacing() throws {
        let keyFolder = SigningKeyFolder(path: folder.path)
        try keys(keyID: "one").write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        let owner: uid_t = getuid() == 0 ? 12_345 : getuid()
        try #require(chown(file, owner, getgid()) == 0)
        try Data("half a file".utf8).write(to: URL(fileURLWithPath: "\(file).rotation.draft"))
        let inbound = [SigningKeys.Inbound(caller: "mobile-bff", key: SigningFixture.key("two", 1))]
        let new = try SigningKeys(service: "wallet-ledger", outbound: [], inbound: inbound)
        try keyFolder.withLock { try keyFolder.replace(new) }
        #expect(try keyIDs(SigningKeyStore(path: file)) == ["two"])
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o640)
        #expect(attributes[.ownerAccountID] as? UInt == UInt(owner))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["wallet-ledger.keys.json"])
        #expect(try keyFolder.services() == ["wallet-ledger"])
    }

    @Test("a link is not replaced, and a folder is changed by one process at a time")
    func notReplaced() throws {
        let keyFolder = SigningKeyFolder(path: folder.path)
        let elsewhere = folder.path + "/elsewhere"
        try keys(keyID: "one").write(to: URL(fileURLWithPath: elsewhere))
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: elsewhere)
        let new = try SigningKeys(service: "wallet-ledger", outbound: [], inbound: [])
        #expect(throws: SigningKeyFolder.Failure.notAFile(path: file)) { try keyFolder.replace(new) }
        _ = try keyFolder.withLock {
            #expect(throws: SigningKeyFolder.Failure.inUse(path: folder.path)) { try keyFolder.withLock {} }
        }
        try keyFolder.withLock {}
        let missing = SigningKeyFolder(path: folder.path + "/missing")
        #expect(throws: SigningKeyFolder.Failure.cannotList(path: missing.path)) { try missing.services() }
        #expect(throws: SigningKeyFolder.Failure.cannotList(path: missing.path)) { try missing.withLock {} }
    }

    @Test("a folder that cannot be written to is named")
    func unwritable() throws {
        let path = folder.path + "/missing/keys"
        #expect(throws: SigningKeyFolder.Failure.cannotWrite(path: path, errno: ENOENT)) {
            try SigningKeyFolder(path: path).write([], replacing: false)
        }
    }

    @Test(
        "a pair is two different services' names with a colon between",
        arguments: [("a:b", true), ("a", false), ("a:", false), (":b", false), ("a:a", false), ("a:b:c", false), ("A:b", false), ("a: b", false)])
    func pairs(text: String, isPair: Bool) {
        #expect((SigningKeyGenerator.Pair(text) != nil) == isPair)
        #expect(SigningKeyGenerator.Pair(text).map { $0.description == text } ?? true)
    }
}
