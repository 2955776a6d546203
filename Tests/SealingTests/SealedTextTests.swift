import Contracts
import Foundation
import Sealing
import TestSupport
import Testing

/// A recipient's two key files in a folder of their own.
struct KeyFiles {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("sealing") }

    var privatePath: String { "\(folder.path)/private.json" }
    var publicPath: String { "\(folder.path)/public.json" }
    var generator: SealingKeyGenerator { SealingKeyGenerator(privatePath: privatePath, publicPath: publicPath) }

    func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
}

@Suite("Sealed texts")
struct SealedTextTests {
    private let event = EventID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0030))
    private let other = EventID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0031))
    private let text = Array(#"{"address":"anna@example.org"}"#.utf8)

    @Test("a sealed text opens for its recipient in its own event, and in no other")
    func boundToEvent() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let sealed = try SealingKey(file: files.publicPath).seal(text, boundTo: event)
        let keys = try OpeningKeys(file: files.privatePath)
        #expect(sealed.keyID == "one")
        #expect(try keys.open(sealed, boundTo: event) == text)
        #expect(throws: OpeningFailure.doesNotOpen) { try keys.open(sealed, boundTo: other) }
    }

    @Test("the same text is sealed as something else each time, without a trace of it")
    func fresh() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let key = try SealingKey(file: files.publicPath)
        let (first, second) = (try key.seal(text, boundTo: event), try key.seal(text, boundTo: event))
        #expect(first.encapsulatedKey != second.encapsulatedKey && first.ciphertext != second.ciphertext)
        #expect(!String(decoding: first.ciphertext, as: UTF8.self).contains("anna"))
    }

    @Test("one changed byte, wherever it is, and nothing opens", arguments: 0..<78)
    func changed(place: Int) throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let sealed = try SealingKey(file: files.publicPath).seal(text, boundTo: event)
        var (key, ciphertext) = (sealed.encapsulatedKey, sealed.ciphertext)
        try #require(key.count + ciphertext.count == 78)
        if place < 32 { key[place] ^= 1 } else { ciphertext[place - 32] ^= 1 }
        let altered = SealedText(keyID: sealed.keyID, encapsulatedKey: key, ciphertext: ciphertext)
        #expect(throws: OpeningFailure.doesNotOpen) { try OpeningKeys(file: files.privatePath).open(altered, boundTo: event) }
    }

    @Test("what another implementation of RFC 9180 sealed, in Python, opens: suite, info and associated data are the contract's")
    func otherImplementation() throws {
        let files = try KeyFiles()
        try files.write(
            #"{"keys": [{"keyid": "2026-11", "private_key": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}]}"#, to: files.privatePath)
        let sealed = SealedText(
            keyID: "2026-11", encapsulatedKey: try bytes("WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns="),
            ciphertext: try bytes("XiFZ/zXlVO9oAHfEJUO8Zznvo6Gf1wTSgm6d5ovYbdPMlZmp5+Ny/aqjydEAfw=="))
        #expect(try OpeningKeys(file: files.privatePath).open(sealed, boundTo: event) == text)
    }

    private func bytes(_ base64: String) throws -> [UInt8] { [UInt8](try #require(Data(base64Encoded: base64))) }

    @Test("an empty text, and one that no event has room for, are refused; the longest is not")
    func bounds() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let key = try SealingKey(file: files.publicPath)
        for count in [0, 8_177] {
            #expect(throws: SealingFault.self) { try key.seal([UInt8](repeating: 1, count: count), boundTo: event) }
        }
        let longest = try key.seal([UInt8](repeating: 1, count: 8_176), boundTo: event)
        #expect(longest.ciphertext.count == SealedText.ciphertextBytes.upperBound)
    }

    @Test("what is sealed fills its place in an event and comes out of it again")
    func throughAnEvent() throws {
        let files = try KeyFiles()
        try files.generator.make(id: "one")
        let content = MessageContent(
            address: "jörg@bücher.example", name: "Jörg", code: "123456", link: "https://florin.example/verify",
            details: MessageDetails(
                device: "Firefox", place: "Zürich", at: Timestamp(microsecondsSinceUnixEpoch: 1_763_700_000_123_000), change: .totpAdded))
        let message = MessageRequestedEvent(
            messageID: MessageID(UUID()), purpose: .registrationCode, userID: nil, locale: "de", expiresAt: nil,
            sealed: try SealingKey(file: files.publicPath).seal(content.wireBytes(), boundTo: event))
        let envelope = try EventEnvelope(
            message, id: event, time: Timestamp(microsecondsSinceUnixEpoch: 0), traceparent: nil)
        let wire = envelope.wireBytes()
        #expect(!String(decoding: wire, as: UTF8.self).contains("123456"))
        let received = try EventEnvelope(reading: wire)
        let payload = try received.payload(as: MessageRequestedEvent.self)
        let opened = try OpeningKeys(file: files.privatePath).open(payload.sealed, boundTo: received.id)
        #expect(try MessageContent(bytes: opened) == content)
    }
}
