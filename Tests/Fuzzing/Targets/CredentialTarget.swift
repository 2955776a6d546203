@testable import Identity

/// What people type to sign in, and what is stored of it.
enum CredentialTarget {
    /// An address has one key, which is its own key, and nothing in it that a header or a command of SMTP could be made of.
    static func runAddress(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let address = EmailAddress(String(decoding: bytes, as: UTF8.self)) else { return }
        try BrokenProperty.unless(address.key.utf8.count <= EmailAddress.maximumBytes, "a key that is too long")
        try BrokenProperty.unless(EmailAddress(address.key)?.key.utf8.elementsEqual(address.key.utf8) == true, "the key of a key is another one")
        try BrokenProperty.unless(EmailAddress(address.typed) == address, "what is sent to is somebody else's")
        for text in [address.key, address.typed] {
            let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !"<>,;\"".unicodeScalars.contains($0) }
            try BrokenProperty.unless(isPlain, "a character that ends an address")
        }
        let domain = address.key.utf8.reversed().prefix { $0 != UInt8(ascii: "@") }
        try BrokenProperty.unless(domain.allSatisfy { $0 < 0x80 }, "a domain that is not ASCII")
        guard address.key.utf8.allSatisfy({ $0 < 0x80 }) else { return }
        try BrokenProperty.unless(EmailAddress(address.key.uppercased()) == address, "upper case is somebody else")
    }

    /// A password that is prepared stays as it is, however its letters were composed; nothing of it is left out.
    static func runPassword(_ bytes: [UInt8]) throws(BrokenProperty) {
        let typed = String(decoding: bytes, as: UTF8.self)
        guard let password = try? PreparedPassword(typed) else { return }
        guard let again = try? PreparedPassword(password.text) else { throw BrokenProperty(description: "what was prepared is refused") }
        try BrokenProperty.unless(again.text.utf8.elementsEqual(password.text.utf8), "what was prepared is prepared to something else")
        try BrokenProperty.unless(password.text == typed || typed.unicodeScalars.contains { $0.properties.isWhitespace }, "a letter was left out")
        try BrokenProperty.unless((1...PreparedPassword.maximumCodePoints).contains(password.codePoints), "beyond the limit")
        try BrokenProperty.unless(password.text.utf8.count <= PreparedPassword.maximumBytes, "beyond the limit of bytes")
        // Whatever it is, it can be judged.
        _ = try? NewPassword.prepare(typed, email: EmailAddress("ana@example.com"), hasSecondFactor: true, blocklist: list)
    }

    private static let list = PasswordBlocklist(lines: ["password", "qwerty"])

    /// A hash has one spelling, and asks for no more memory than there may be.
    static func runHash(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let hash = PasswordHash(text) else { return }
        try BrokenProperty.unless(hash.phc.utf8.elementsEqual(text.utf8), "a second spelling")
        try BrokenProperty.unless(128 * hash.cost.r << hash.cost.logN <= 128 << 20, "more memory than there may be")
        try BrokenProperty.unless((8...64).contains(hash.salt.count) && (16...64).contains(hash.hash.count), "a salt or hash of another length")
    }

    /// A recovery code reads back as it is shown.
    static func runRecoveryCode(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let code = RecoveryCode(String(decoding: bytes, as: UTF8.self)) else { return }
        try BrokenProperty.unless(RecoveryCode(code.shown) == code, "what is shown is another code")
    }
}
