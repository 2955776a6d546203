import Foundation
import RequestSigning
import Testing

@Suite("Keys file")
struct SigningKeyFileTests {
    private static let secretA = Data((0..<32).map { UInt8($0) }).base64EncodedString()
    private static let secretB = Data((0..<32).map { UInt8($0) + 100 }).base64EncodedString()

    private static let valid = """
        {"service": "wallet-ledger",
         "outbound": [{"callee": "identity", "keyid": "w.i.1", "secret": "\(secretA)", "not_before": "2026-01-01T00:00:00Z", "not_after": null}],
         "inbound": [
          {"caller": "mobile-bff", "keyid": "m.w.1", "secret": "\(secretA)",
           "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-03-01T00:00:00Z"},
          {"caller": "mobile-bff", "keyid": "m.w.2", "secret": "\(secretB)", "not_before": "2026-02-28T23:59:59Z", "not_after": null}]}
        """

    @Test("a valid file gives each key its time")
    func valid() throws {
        let keys = try SigningKeyFile.parse(Array(Self.valid.utf8))
        #expect(keys.service == "wallet-ledger")
        #expect(keys.outboundKey(to: "identity", at: 1_767_225_600)?.keyID == "w.i.1")
        #expect(keys.outboundKey(to: "identity", at: 1_767_225_599) == nil)
        #expect(keys.outboundKey(to: "notification", at: 1_767_225_600) == nil)
        #expect(keys.inboundKey(id: "m.w.1", at: 1_772_323_199)?.caller == "mobile-bff")
        #expect(keys.inboundKey(id: "m.w.1", at: 1_772_323_200) == nil)
        #expect(keys.inboundKey(id: "m.w.2", at: 1_772_323_198) == nil)
        #expect(keys.inboundKey(id: "m.w.2", at: 4_000_000_000)?.key.keyID == "m.w.2")
        #expect(keys.inboundKey(id: "m.w.3", at: 1_772_323_198) == nil)
    }

    static let mistakes: [(old: String, new: String, error: SigningKeysError)] = [
        (#""service": "wallet-ledger","#, "", .invalid("/service", .missingMember)),
        (#""service": "wallet-ledger","#, #""service": "wallet-ledger", "extra": 1,"#, .invalid("", .unknownMember)),
        (#""wallet-ledger""#, "7", .invalid("/service", .wrongType)),
        (#""wallet-ledger""#, #""Wallet_Ledger""#, .invalid("/service", .serviceName)),
        (#""wallet-ledger""#, #""wallet-ledger-""#, .invalid("/service", .serviceName)),
        (#""callee": "identity""#, #""callee": """#, .invalid("/outbound/0/callee", .serviceName)),
        (#""callee": "identity""#, #""caller": "identity""#, .invalid("/outbound/0", .unknownMember)),
        (#""keyid": "w.i.1", "#, "", .invalid("/outbound/0/keyid", .missingMember)),
        (#""w.i.1""#, #""w i""#, .invalid("/outbound/0/keyid", .keyID)),
        (#""w.i.1""#, #""""#, .invalid("/outbound/0/keyid", .keyID)),
        (#""w.i.1""#, #""a\"b""#, .invalid("/outbound/0/keyid", .keyID)),
        (#""w.i.1", "secret": "\#(secretA)""#, #""w.i.1", "secret": "c2hvcnQ=""#, .invalid("/outbound/0/secret", .secret)),
        (#""m.w.2", "secret": "\#(secretB)""#, #""m.w.2", "secret": "\#(secretB.dropLast())""#, .invalid("/inbound/1/secret", .secret)),
        (#""m.w.2", "secret": "\#(secretB)""#, #""m.w.2", "secret": "\#(secretA)""#, .invalid("/inbound/1/secret", .secretReused)),
        (#""m.w.2""#, #""m.w.1""#, .invalid("/inbound/1/keyid", .duplicateKeyID)),
        (#""2026-02-28T23:59:59Z""#, #""2026-02-29T00:00:00Z""#, .invalid("/inbound/1/not_before", .time)),
        (#""2026-02-28T23:59:59Z""#, #""2026-02-28T23:59:60Z""#, .invalid("/inbound/1/not_before", .time)),
        (#""2026-02-28T23:59:59Z""#, #""2026-02-28T24:00:00Z""#, .invalid("/inbound/1/not_before", .time)),
        (#""2026-02-28T23:59:59Z""#, #""2026-02-28 23:59:59Z""#, .invalid("/inbound/1/not_before", .time)),
        (#""2026-02-28T23:59:59Z""#, #""2026-02-28T23:59:59+00:00""#, .invalid("/inbound/1/not_before", .time)),
        (#""2026-02-28T23:59:59Z""#, #""2026-13-01T00:00:00Z""#, .invalid("/inbound/1/not_before", .time)),
        (#""2026-02-28T23:59:59Z""#, "1772323199", .invalid("/inbound/1/not_before", .wrongType)),
        (#""2026-02-28T23:59:59Z""#, "null", .invalid("/inbound/1/not_before", .wrongType)),
        (#""2026-03-01T00:00:00Z""#, #""2026-01-01T00:00:00Z""#, .invalid("/inbound/0/not_after", .emptyPeriod)),
        (#", "not_after": null}],"#, "}],", .invalid("/outbound/0/not_after", .missingMember)),
        (#""inbound": ["#, #""inbound": {"#, .invalid("", .notJSON)),
        (#""inbound": ["#, #""inbound": [[],"#, .invalid("/inbound/0", .wrongType)),
    ]

    @Test("a mistake is named by place and rule, and no secret shows", arguments: mistakes)
    func mistake(old: String, new: String, error: SigningKeysError) throws {
        let text = try #require(Self.valid.range(of: old).map { Self.valid.replacingCharacters(in: $0, with: new) })
        let thrown = #expect(throws: SigningKeysError.self) { try SigningKeyFile.parse(Array(text.utf8)) }
        #expect(thrown == error)
        let shown = String(describing: thrown) + String(reflecting: thrown)
        #expect(!shown.contains(Self.secretA) && !shown.contains(Self.secretB))
    }

    @Test("a third key of one caller and a second for one callee are refused")
    func tooMany() throws {
        let inbound = (0..<3).map { SigningKeys.Inbound(caller: "mobile-bff", key: SigningFixture.key("k\($0)", UInt8($0))) }
        #expect(throws: SigningKeysError.invalid("/inbound/2/caller", .tooManyKeys)) {
            try SigningKeys(service: "wallet-ledger", outbound: [], inbound: inbound)
        }
        let outbound = (0..<2).map { SigningKeys.Outbound(callee: "identity", key: SigningFixture.key("k\($0)", UInt8($0))) }
        #expect(throws: SigningKeysError.invalid("/outbound/1/callee", .secondKeyForCallee)) {
            try SigningKeys(service: "wallet-ledger", outbound: outbound, inbound: [])
        }
    }

    @Test("empty and truncated files are not JSON", arguments: [0, 1, 100])
    func truncated(count: Int) {
        #expect(throws: SigningKeysError.invalid("", .notJSON)) { try SigningKeyFile.parse(Array(Self.valid.utf8.prefix(count))) }
    }

    @Test("what is rendered is read back")
    func rendered() throws {
        let keys = try SigningKeyFile.parse(Array(Self.valid.utf8))
        let again = try SigningKeyFile.parse(SigningKeyFile.render(keys))
        #expect(again.service == keys.service)
        #expect(again.outbound.map(\.callee) == keys.outbound.map(\.callee))
        #expect(again.inbound.map(\.caller) == keys.inbound.map(\.caller))
        for (left, right) in zip(keys.outbound.map(\.key) + keys.inbound.map(\.key), again.outbound.map(\.key) + again.inbound.map(\.key)) {
            #expect(left.keyID == right.keyID)
            #expect(left.secret == right.secret)
            #expect(left.notBefore == right.notBefore)
            #expect(left.notAfter == right.notAfter)
        }
    }

    @Test("a key never prints its secret")
    func printing() {
        let key = SigningFixture.mobileKey
        var dumped = ""
        dump(key, to: &dumped)
        dump(SigningKeys.Inbound(caller: "mobile-bff", key: key), to: &dumped)
        for shown in ["\(key)", String(reflecting: key), "\([key])", "\(SigningKeys.Inbound(caller: "a", key: key))", dumped] {
            #expect(shown.contains(key.keyID))
            #expect(!shown.lowercased().contains("secret") && !shown.contains("SymmetricKey") && !shown.contains("HMAC"))
        }
    }
}
