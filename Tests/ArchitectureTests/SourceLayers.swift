/// A Swift file taken apart into what is code, what is inside string literals and what is comment.
///
/// The three texts have the length of the file and keep its line breaks; each byte of the file stands in one of them and is a space
/// in the others. So a rule looks only where it means to look, and line numbers stay true.
struct SourceLayers: Sendable {
    private(set) var code: String
    private(set) var strings: String
    private(set) var comments: String

    init(_ source: String) {
        var scanner = Scanner(source: Array(source.utf8))
        scanner.scan()
        self.code = String(decoding: scanner.code, as: UTF8.self)
        self.strings = String(decoding: scanner.strings, as: UTF8.self)
        self.comments = String(decoding: scanner.comments, as: UTF8.self)
    }
}

private struct Scanner {
    /// Where the scanner is; an interpolation puts code back on top of its string.
    enum Place {
        case code(openParentheses: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    enum Layer {
        case code, strings, comments
    }

    let source: [UInt8]
    var code: [UInt8]
    var strings: [UInt8]
    var comments: [UInt8]
    var position = 0
    var places: [Place] = [.code(openParentheses: 0)]

    init(source: [UInt8]) {
        self.source = source
        let blank = source.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
        self.code = blank
        self.strings = blank
        self.comments = blank
    }

    mutating func scan() {
        while position < source.count {
            switch places[places.count - 1] {
            case .code(let open): scanCode(openParentheses: open)
            case .string(let hashes, let isMultiline): scanString(hashes: hashes, isMultiline: isMultiline)
            }
        }
    }

    private mutating func scanCode(openParentheses open: Int) {
        if follows("//") {
            while position < source.count, source[position] != UInt8(ascii: "\n") { take(1, into: .comments) }
        } else if follows("/*") {
            scanBlockComment()
        } else if let (hashes, isMultiline) = stringOpening() {
            take(hashes + (isMultiline ? 3 : 1), into: .strings)
            places.append(.string(hashes: hashes, isMultiline: isMultiline))
        } else if follows("(") {
            places[places.count - 1] = .code(openParentheses: open + 1)
            take(1, into: .code)
        } else if follows(")") {
            if open == 0, places.count > 1 {
                places.removeLast()
                take(1, into: .strings)
            } else {
                places[places.count - 1] = .code(openParentheses: max(0, open - 1))
                take(1, into: .code)
            }
        } else {
            take(1, into: .code)
        }
    }

    private mutating func scanString(hashes: Int, isMultiline: Bool) {
        let escape = "\\" + String(repeating: "#", count: hashes)
        let closing = (isMultiline ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
        if follows(escape + "(") {
            take(escape.utf8.count + 1, into: .strings)
            places.append(.code(openParentheses: 0))
        } else if follows(escape) {
            take(escape.utf8.count + 1, into: .strings)
        } else if follows(closing) {
            take(closing.utf8.count, into: .strings)
            places.removeLast()
        } else if !isMultiline, follows("\n") {
            // Not a string after all (a quotation mark in a regular expression, say): the next line is code again.
            places.removeLast()
        } else {
            take(1, into: .strings)
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if follows("/*") {
                depth += 1
                take(2, into: .comments)
            } else if follows("*/") {
                depth -= 1
                take(2, into: .comments)
            } else {
                take(1, into: .comments)
            }
        } while depth > 0 && position < source.count
    }

    private func stringOpening() -> (hashes: Int, isMultiline: Bool)? {
        var end = position
        while end < source.count, source[end] == UInt8(ascii: "#") { end += 1 }
        guard end < source.count, source[end] == UInt8(ascii: "\"") else { return nil }
        return (end - position, follows("\"\"\"", at: end))
    }

    private func follows(_ text: String, at start: Int? = nil) -> Bool {
        source[(start ?? position)...].starts(with: text.utf8)
    }

    private mutating func take(_ count: Int, into layer: Layer) {
        for index in position..<min(position + count, source.count) {
            switch layer {
            case .code: code[index] = source[index]
            case .strings: strings[index] = source[index]
            case .comments: comments[index] = source[index]
            }
        }
        position += count
    }
}
