internal import FoundationEssentials

/// Text of a mail's header (RFC 5322, 2.2), with RFC 2047's encoded words for what is not ASCII.
enum HeaderText {
    /// Of an encoded word's text: 75 characters of the word, less `=?UTF-8?B?` and `?=`, are 63 of base64, so 45 bytes.
    private static let wordBytes = 45
    private static let maximumPlainLength = 60

    /// - Returns: The text with the folds it needs; it continues a line that begins with the header's name.
    /// - Throws: ``MailFault`` when the text could end its line: it is refused rather than cleaned.
    static func encoded(_ text: String) throws(MailFault) -> String {
        guard isOneLine(text) else { throw .lineBreak }
        if text.utf8.count <= maximumPlainLength, text.utf8.allSatisfy({ $0 < 0x80 }), !text.contains("=?") { return text }
        return words(text).map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// A display name before an address (RFC 5322, 3.4): quoted where it is ASCII.
    static func displayName(_ text: String) throws(MailFault) -> String {
        let encoded = try encoded(text)
        guard encoded == text else { return encoded }
        return "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }

    private static func isOneLine(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }

    /// Whole characters, for no word may end in the middle of one.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        for scalar in text.unicodeScalars {
            if let last = words.last, last.utf8.count + String(scalar).utf8.count <= wordBytes {
                words[words.count - 1].unicodeScalars.append(scalar)
            } else {
                words.append(String(scalar))
            }
        }
        return words
    }
}
