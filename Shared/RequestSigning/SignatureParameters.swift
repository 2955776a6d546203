/// The parameters of a signature, `created;expires;nonce;keyid;tag`, each once in the one spelling that is accepted. Their order is free:
/// the code is computed over it.
struct SignatureParameters {
    var created: Int64
    var expires: Int64
    var nonce: String
    var keyID: String

    /// Enough for every time until the year 33658 and never an overflow, as RFC 8941 section 3.3.1 bounds an integer.
    private static let maximumDigits = 15

    init(created: Int64, expires: Int64, nonce: String, keyID: String) {
        self.created = created
        self.expires = expires
        self.nonce = nonce
        self.keyID = keyID
    }

    /// The parameters that these bytes spell, or nil when they are anything else or anything more.
    init?(parsing bytes: UnsafeBufferPointer<UInt8>) {
        var cursor = Cursor(bytes: bytes)
        var (created, expires): (Int64?, Int64?)
        var (nonce, keyID): (String?, String?)
        var isTagged = false
        while !cursor.isAtEnd {
            if created == nil, cursor.skip(";created=") {
                created = cursor.integer()
                guard created != nil else { return nil }
            } else if expires == nil, cursor.skip(";expires=") {
                expires = cursor.integer()
                guard expires != nil else { return nil }
            } else if nonce == nil, cursor.skip(";nonce=\"") {
                nonce = cursor.quotedText()
                guard nonce != nil else { return nil }
            } else if keyID == nil, cursor.skip(";keyid=\"") {
                keyID = cursor.quotedText()
                guard keyID != nil else { return nil }
            } else if !isTagged, cursor.skip(";tag=\"florin-internal-1\"") {
                isTagged = true
            } else {
                return nil
            }
        }
        guard let created, let expires, let nonce, let keyID, isTagged else { return nil }
        self.init(created: created, expires: expires, nonce: nonce, keyID: keyID)
    }

    /// Appends the parameters, beginning with `;`.
    func append(to output: inout [UInt8]) {
        output.append(contentsOf: ";created=\(created);expires=\(expires);nonce=\"".utf8)
        output.append(contentsOf: nonce.utf8)
        output.append(contentsOf: "\";keyid=\"".utf8)
        output.append(contentsOf: keyID.utf8)
        output.append(contentsOf: "\";tag=\"florin-internal-1\"".utf8)
    }

    /// Whether a nonce or key id needs no escape and has an allowed length.
    static func isParameterText(_ text: String) -> Bool {
        (1...SignatureProfile.maximumParameterLength).contains(text.utf8.count) && text.utf8.allSatisfy(isParameterCharacter)
    }

    /// Visible ASCII without the two characters that a structured-field string would escape.
    fileprivate static func isParameterCharacter(_ byte: UInt8) -> Bool {
        byte > UInt8(ascii: " ") && byte <= UInt8(ascii: "~") && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// A position in the bytes that only moves forward.
    private struct Cursor {
        let bytes: UnsafeBufferPointer<UInt8>
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func skip(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard bytes.count - position >= count else { return false }
            for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
            position += count
            return true
        }

        /// Digits without sign or leading zero.
        mutating func integer() -> Int64? {
            let start = position
            var value: Int64 = 0
            while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
                guard position - start < maximumDigits else { return nil }
                value = value * 10 + Int64(bytes[position] - UInt8(ascii: "0"))
                position += 1
            }
            guard position > start, bytes[start] != UInt8(ascii: "0") else { return nil }
            return value
        }

        /// The text up to the closing quote, which is skipped.
        mutating func quotedText() -> String? {
            let start = position
            while position < bytes.count, isParameterCharacter(bytes[position]) { position += 1 }
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\""),
                (1...SignatureProfile.maximumParameterLength).contains(position - start)
            else { return nil }
            defer { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }
}
