/// Strings as JSON (RFC 8259 section 7), with everything escaped that could forge a line or steer a terminal.
package enum JSONText {
    private static let hexadecimal: StaticString = "0123456789abcdef"

    /// Appends a string in quotation marks.
    ///
    /// - Parameter maximumBytes: The rest is cut off at a character and replaced by an ellipsis.
    package static func append(_ text: String, to bytes: inout [UInt8], maximumBytes: Int = .max) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            let end = utf8.count <= maximumBytes ? utf8.count : characterStart(in: utf8, before: maximumBytes)
            var copied = 0
            for index in 0..<end {
                let byte = utf8[index]
                // Most bytes stand for themselves; they are copied in runs.
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte >= 0x7F else { continue }
                guard let (code, length) = escape(utf8, at: index) else { continue }
                bytes.append(contentsOf: utf8[copied..<index])
                append(escape: code, to: &bytes)
                copied = index + length
            }
            if copied < end { bytes.append(contentsOf: utf8[copied..<end]) }
            if end < utf8.count { bytes.append(contentsOf: "…".utf8) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The string in quotation marks.
    package static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The code unit to escape at an index and how many bytes it takes, or nil when the byte stands for itself.
    ///
    /// C1 controls (C2 80 to C2 9F) steer some terminals, and U+2028 and U+2029 (E2 80 A8, A9) end lines for some readers.
    private static func escape(_ utf8: UnsafeBufferPointer<UInt8>, at index: Int) -> (code: UInt16, length: Int)? {
        switch utf8[index] {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7F: (UInt16(utf8[index]), 1)
        case 0xC2 where utf8[index + 1] < 0xA0: (UInt16(utf8[index + 1]), 2)
        case 0xE2 where utf8[index + 1] == 0x80 && (utf8[index + 2] == 0xA8 || utf8[index + 2] == 0xA9):
            (0x2000 + UInt16(utf8[index + 2] & 0x3F), 3)
        default: nil
        }
    }

    private static func append(escape code: UInt16, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch code {
        case 0x22, 0x5C: bytes.append(UInt8(truncatingIfNeeded: code))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(UInt8(ascii: "u"))
            for shift in [12, 8, 4, 0] as [UInt16] { bytes.append(hexadecimal.utf8Start[Int(code >> shift & 15)]) }
        }
    }

    private static func characterStart(in utf8: UnsafeBufferPointer<UInt8>, before limit: Int) -> Int {
        var index = limit
        while index > 0, utf8[index] & 0xC0 == 0x80 { index -= 1 }
        return index
    }
}
