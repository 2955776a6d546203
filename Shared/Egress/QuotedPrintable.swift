/// Quoted-printable (RFC 2045, 6.7): ASCII lines of at most 76 characters that end in CRLF, whatever the text had.
enum QuotedPrintable {
    private static let lineLength = 76
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func encode(_ text: String) -> [UInt8] {
        var encoded: [UInt8] = []
        for line in lines(of: text) { append(line, to: &encoded) }
        return encoded
    }

    /// CRLF, CR and LF each end a line; the last needs no end.
    private static func lines(of text: String) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var isAfterReturn = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\r"): lines.append([])
            case UInt8(ascii: "\n"): if !isAfterReturn { lines.append([]) }
            default: lines[lines.count - 1].append(byte)
            }
            isAfterReturn = byte == UInt8(ascii: "\r")
        }
        if lines[lines.count - 1].isEmpty { lines.removeLast() }
        return lines
    }

    private static func append(_ line: [UInt8], to encoded: inout [UInt8]) {
        var length = 0
        for (index, byte) in line.enumerated() {
            let isLast = index == line.count - 1
            var part = needsEscape(byte, isFirst: length == 0, isLast: isLast) ? escape(byte) : [byte]
            // The soft break is a character itself, which the last part of a line does without.
            if length + part.count > lineLength - (isLast ? 0 : 1) {
                encoded += Array("=\r\n".utf8)
                length = 0
                part = needsEscape(byte, isFirst: true, isLast: isLast) ? escape(byte) : [byte]
            }
            encoded += part
            length += part.count
        }
        encoded += Array("\r\n".utf8)
    }

    /// Spaces at the end of a line are lost on the way; a dot at its beginning is SMTP's own affair, so that none is left to it.
    private static func needsEscape(_ byte: UInt8, isFirst: Bool, isLast: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "="): true
        case UInt8(ascii: "."): isFirst
        case UInt8(ascii: " "), UInt8(ascii: "\t"): isLast
        case 0x21...0x7E: false
        default: true
        }
    }

    private static func escape(_ byte: UInt8) -> [UInt8] { [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
}
