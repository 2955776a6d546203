import FoundationEssentials

/// A password's hash as it is stored: a PHC string, `$scrypt$ln=14,r=8,p=5$salt$hash`, salt and hash in base64 without padding.
package struct PasswordHash: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// Of what is made here.
    static let saltBytes = 16
    static let hashBytes = 32
    /// Of what is read. Empty ones would be no secret, and longer ones are not ours.
    private static let readSaltBytes = 8...64
    private static let readHashBytes = 16...64
    private static let maximumTextBytes = 300

    let cost: ScryptCost
    let salt: [UInt8]
    let hash: [UInt8]

    init(cost: ScryptCost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// Reads the one spelling of a hash; nil for any other text and for parameters beyond the ceilings.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumTextBytes else { return nil }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = ScryptCost(parts[2]), let salt = Self.bytes(parts[3]),
            let hash = Self.bytes(parts[4]), Self.readSaltBytes.contains(salt.count), Self.readHashBytes.contains(hash.count)
        else { return nil }
        self.init(cost: cost, salt: salt, hash: hash)
        guard phc.utf8.elementsEqual(text.utf8) else { return nil }
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { [UInt8]($0) }
    }

    package var description: String { "a password's hash" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// As it is stored.
    package var phc: String { "$scrypt$\(cost)$\(Self.text(salt))$\(Self.text(hash))" }

    private static func text(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }
}
