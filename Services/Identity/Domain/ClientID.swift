/// What a client can be called.
package enum ClientID {
    private static let lengths = 2...63
    /// A person's `sub` begins so.
    private static let userPrefix = "usr_"

    /// Lower-case letters, digits and hyphens, which no header or form spells in two ways.
    package static func isPossible(_ text: String) -> Bool {
        lengths.contains(text.utf8.count) && text.first != "-" && !text.hasPrefix(userPrefix)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}
