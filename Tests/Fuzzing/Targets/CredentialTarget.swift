import Contracts
import Foundation

@testable import Egress
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
        let domain = String(address.key[address.key.index(after: address.key.lastIndex(of: "@") ?? address.key.startIndex)...])
        try BrokenProperty.unless(domain.utf8.allSatisfy { $0 < 0x80 }, "a domain that is not ASCII")
        // Notification has libidn2 read the domain.
        if let mail = MailAddress(address.typed) {
            try BrokenProperty.unless(mail.domain == domain, "a mail to \(mail.domain) for the key \(address.key)")
        }
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

    /// A mailed code is six digits, however they are grouped, and matches itself alone.
    static func runMailedCode(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let code = MailedCode(String(decoding: bytes, as: UTF8.self)) else { return }
        try BrokenProperty.unless(bytes.filter { $0 != UInt8(ascii: " ") } == Array(code.text.utf8), "another code than was entered")
        try BrokenProperty.unless(TOTP.isCode(code.text) && MailedCode(code.text)?.matches(code) == true, "it does not match itself")
        try BrokenProperty.unless(!"\(code) \(String(reflecting: code))".contains(code.text), "a description with the code")
        let next = String(code.text.dropLast()) + (code.text.last == "0" ? "1" : "0")
        try BrokenProperty.unless(MailedCode(next)?.matches(code) == false, "it matches another one")
    }

    /// An app reads of the URI what was written into it: the first bytes are the secret, the others the account. A code of the secret is good
    /// in its own step, and nothing that is no code ever is.
    static func runTOTP(_ bytes: [UInt8]) throws(BrokenProperty) {
        let secret = Array((bytes + Array(repeating: 0, count: TOTP.secretBytes)).prefix(TOTP.secretBytes))
        let account = String(decoding: bytes.dropFirst(TOTP.secretBytes).prefix(EmailAddress.maximumBytes), as: UTF8.self)
        let now = Timestamp(microsecondsSinceUnixEpoch: 1_790_000_000_000_000)
        let enrolment = TOTPEnrolment(secret: secret, account: account, expiresAt: now)
        guard let read = URLComponents(string: enrolment.uri), let items = read.queryItems, let code = QRContent(Array(enrolment.uri.utf8)) else {
            throw BrokenProperty(description: "no URI: \(enrolment.uri)")
        }
        try BrokenProperty.unless(read.scheme == "otpauth" && read.host == "totp", "a URI of another kind")
        try BrokenProperty.unless(read.path.utf8.elementsEqual("/Florin:\(account)".utf8), "another account: \(read.path)")
        try BrokenProperty.unless(items.map(\.name) == ["secret", "issuer", "algorithm", "digits", "period"], "other parameters")
        try BrokenProperty.unless(decoded(base32: items[0].value ?? "") == secret, "another secret")
        try BrokenProperty.unless(code.codewords.count > enrolment.uri.utf8.count, "a picture without all of it")
        let (totp, step) = (TOTP(secret: secret), TOTP.step(at: now))
        try BrokenProperty.unless(totp.step(of: totp.code(at: step), at: now) != nil, "its own code is none")
        guard totp.step(of: account, at: now) != nil else { return }
        try BrokenProperty.unless(TOTP.isCode(account), "a code that is none")
    }

    private static func decoded(base32 text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var (bytes, buffer, bits): ([UInt8], Int, Int) = ([], 0, 0)
        for value in text.utf8.compactMap(alphabet.firstIndex(of:)) {
            buffer = (buffer << 5 | value) & 0xFFFF
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(buffer >> bits & 0xFF))
        }
        return bytes
    }
}
