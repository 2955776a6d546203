import Crypto
import FoundationEssentials

/// The JSON file that holds one service's keys, `INTERNAL_AUTH_KEYS_FILE`.
///
///     {"service": "wallet-ledger",
///      "outbound": [{"callee": ..., "keyid": ..., "secret": ..., "not_before": ..., "not_after": ...}],
///      "inbound": [{"caller": ..., "keyid": ..., "secret": ..., "not_before": ..., "not_after": ...}]}
///
/// Every member is required and no other is taken. `secret` is 32 random bytes in padded base64; the times are RFC 3339 in UTC, and
/// `not_after` may be null, which leaves it open. There is one outbound key per callee and there are at most two inbound keys per caller.
package enum SigningKeyFile {
    /// Sixty-four keys of the longest names fit twice.
    package static let maximumBytes = 65_536

    /// The keys that a file's bytes spell.
    ///
    /// - Throws: ``SigningKeysError/invalid(_:_:)``, which points at the first wrong place.
    package static func parse(_ bytes: [UInt8]) throws(SigningKeysError) -> SigningKeys {
        let file: WireFile
        do {
            file = try JSONDecoder().decode(WireFile.self, from: Data(bytes))
        } catch let error as SigningKeysError {
            throw error
        } catch let error as DecodingError {
            throw translate(error)
        } catch {
            throw .invalid("", .notJSON)
        }
        var outbound: [SigningKeys.Outbound] = []
        for (index, entry) in file.outbound.enumerated() {
            outbound.append(.init(callee: entry.service, key: try key(of: entry, at: "/outbound/\(index)")))
        }
        var inbound: [SigningKeys.Inbound] = []
        for (index, entry) in file.inbound.enumerated() {
            inbound.append(.init(caller: entry.service, key: try key(of: entry, at: "/inbound/\(index)")))
        }
        return try SigningKeys(service: file.service, outbound: outbound, inbound: inbound)
    }

    /// The bytes of a file that ``parse(_:)`` reads back; they contain the secrets.
    package static func render(_ keys: SigningKeys) -> [UInt8] {
        // No value needs an escape: names, ids and times were checked, base64 never does.
        func list(_ name: String, _ entries: [String]) -> String {
            entries.isEmpty ? "  \"\(name)\": []" : "  \"\(name)\": [\n" + entries.joined(separator: ",\n") + "\n  ]"
        }
        func entry(_ role: String, _ service: String, _ key: SigningKey) -> String {
            var secret = [UInt8]()
            key.secret.withUnsafeBytes { FixedBase64.append($0, to: &secret) }
            let notAfter = key.notAfter.map { "\"\(SigningKeyTime.render($0))\"" } ?? "null"
            return """
                    {"\(role)": "\(service)", "keyid": "\(key.keyID)", "secret": "\(String(decoding: secret, as: UTF8.self))", \
                "not_before": "\(SigningKeyTime.render(key.notBefore))", "not_after": \(notAfter)}
                """
        }
        let text = """
            {
              "service": "\(keys.service)",
            \(list("outbound", keys.outbound.map { entry("callee", $0.callee, $0.key) })),
            \(list("inbound", keys.inbound.map { entry("caller", $0.caller, $0.key) }))
            }

            """
        return Array(text.utf8)
    }

    private static func key(of entry: WireEntry, at pointer: String) throws(SigningKeysError) -> SigningKey {
        guard let secret = FixedBase64.decode(Array(entry.secret.utf8)) else { throw .invalid(pointer + "/secret", .secret) }
        guard let notBefore = SigningKeyTime.parse(entry.notBefore) else { throw .invalid(pointer + "/not_before", .time) }
        var notAfter: Int64?
        if let text = entry.notAfter {
            guard let time = SigningKeyTime.parse(text) else { throw .invalid(pointer + "/not_after", .time) }
            notAfter = time
        }
        return SigningKey(keyID: entry.keyID, secret: SymmetricKey(data: secret), notBefore: notBefore, notAfter: notAfter)
    }

    /// The decoder's own messages may quote the file, so only the place and the kind of its errors are kept.
    private static func translate(_ error: DecodingError) -> SigningKeysError {
        switch error {
        case .keyNotFound(let key, let context): .invalid(pointer(context.codingPath + [key]), .missingMember)
        case .typeMismatch(_, let context), .valueNotFound(_, let context): .invalid(pointer(context.codingPath), .wrongType)
        case .dataCorrupted: .invalid("", .notJSON)
        @unknown default: .invalid("", .notJSON)
        }
    }

    fileprivate static func pointer(_ path: [any CodingKey]) -> String {
        path.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
    }
}

/// Any member's name, so that unknown ones can be seen.
private struct MemberName: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init?(stringValue: String) { self.init(stringValue) }

    init?(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

extension KeyedDecodingContainer<MemberName> {
    /// - Throws: ``SigningKeysError`` at the object itself: an unknown member's name may be a secret put in the wrong place.
    fileprivate func refuseMembers(except known: Set<String>) throws {
        guard allKeys.allSatisfy({ known.contains($0.stringValue) }) else {
            throw SigningKeysError.invalid(SigningKeyFile.pointer(codingPath), .unknownMember)
        }
    }
}

private struct WireFile: Decodable {
    let service: String
    let outbound: [WireEntry]
    let inbound: [WireEntry]

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: MemberName.self)
        try members.refuseMembers(except: ["service", "outbound", "inbound"])
        service = try members.decode(String.self, forKey: MemberName("service"))
        outbound = try members.decode([WireEntry].self, forKey: MemberName("outbound"))
        inbound = try members.decode([WireEntry].self, forKey: MemberName("inbound"))
    }
}

private struct WireEntry: Decodable {
    let service: String
    let keyID: String
    let secret: String
    let notBefore: String
    let notAfter: String?

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: MemberName.self)
        let role = decoder.codingPath.first?.stringValue == "outbound" ? "callee" : "caller"
        try members.refuseMembers(except: [role, "keyid", "secret", "not_before", "not_after"])
        service = try members.decode(String.self, forKey: MemberName(role))
        keyID = try members.decode(String.self, forKey: MemberName("keyid"))
        secret = try members.decode(String.self, forKey: MemberName("secret"))
        notBefore = try members.decode(String.self, forKey: MemberName("not_before"))
        notAfter = try members.decode(String?.self, forKey: MemberName("not_after"))
    }
}
