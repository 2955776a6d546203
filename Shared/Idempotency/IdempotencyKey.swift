package import FoundationEssentials

/// An `Idempotency-Key` in its scope: calling service and principal.
package struct IdempotencyKey: Sendable, Hashable {
    /// A key is 1 to 255 visible ASCII characters.
    package static let maximumLength = 255

    package let caller: String
    package let principal: String
    package let key: String
    /// A digest of the three, the primary key of the row.
    package let id: UUID

    package init(caller: String, principal: String, key: String) {
        self.caller = caller
        self.principal = principal
        self.key = key
        // None of the first two holds a line break, and the key holds visible characters only.
        id = KeyDigest.of("\(caller)\n\(principal)\n\(key)")
    }

    package static func isKey(_ text: String) -> Bool {
        (1...maximumLength).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
