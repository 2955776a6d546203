internal import FoundationEssentials

/// Text of a mail's header (RFC 5322, 2.2), with RFC 2047's encoded words for what is not ASCII.
enum HeaderText {
    /// Of an encoded word's text. A line that has one is 76 characters long at most: less `Subject: `, `=?UTF-8?B?` and `?=`, 55 of base64.
    private static let wordBytes = 39
    private static let maximumPlainLength = 60

    /// - Returns: The text with the folds it needs; it continues a line that begins with the header's name.
    /// - Throws: ``MailFault`` when the text could end its line: it is refused rather than cleaned.
    static func encoded(_ text: String) throws(MailFault) -> String {
        guard isOneLine(text) else { throw .lineBreak }
        return isPlain(text) ? text : encodedWords(text)
    }

    /// A display name before an address (RFC 5322, 3.4): quoted where it is ASCII.
    static func displayName(_ text: String) throws(MailFault) -> String {
        guard isOneLine(text) else { throw .lineBreak }
        let quoted = "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
        return isPlain(text) && quoted.utf8.count <= maximumPlainLength ? quoted : encodedWords(text)
    }

    /// Short, in ASCII, and not to be mistaken for an encoded word.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= maximumPlainLength && text.utf8.allSatisfy { $0 < 0x80 } && !text.contains("=?")
    }

    private static func encodedWords(_ text: String) -> String {
        words(text).map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
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
