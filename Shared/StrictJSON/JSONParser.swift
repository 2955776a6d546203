/// Why a text is no JSON; `offset` is the byte at which reading stopped.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "unexpected character"
        case trailingBytes = "text after the value"
        case invalidNumber = "invalid number"
        case invalidString = "invalid string"
        case duplicateMember = "a member appears twice"
        case tooDeep = "nested too deeply"
        case tooManyMembers = "an object has too many members"
    }

    package let reason: Reason
    package let offset: Int

    package var description: String { "\(reason.rawValue) at byte \(offset)" }
}

/// A strict reader of RFC 8259: valid UTF-8 only, no duplicate members, no comments, bounded depth.
package struct JSONParser {
    /// Requests nest two levels; more is an attack on the stack.
    package static let maximumDepth = 16
    /// No body has half as many. Names are compared with all before them, so without this bound time would grow with the square.
    package static let maximumMembers = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    package static func parse(_ bytes: some Collection<UInt8>) throws(JSONError) -> JSONValue {
        let contiguous = bytes.withContiguousStorageIfAvailable { buffer in Result { () throws(JSONError) in try parse(buffer: buffer) } }
        if let contiguous { return try contiguous.get() }
        let copy = Array(bytes)
        return try copy.withUnsafeBufferPointer { buffer in Result { () throws(JSONError) in try parse(buffer: buffer) } }.get()
    }

    private static func parse(buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        var parser = JSONParser(buffer)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == buffer.count else { throw parser.error(.trailingBytes) }
        return value
    }

    private func error(_ reason: JSONError.Reason) -> JSONError {
        JSONError(reason: index >= bytes.count && reason == .unexpectedByte ? .unexpectedEnd : reason, offset: index)
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error(.tooDeep) }
        guard let byte = current else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount {
            guard current == text.utf8Start[offset] else { throw error(.unexpectedByte) }
            index += 1
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var members: [JSONMember] = []
        skipSpace()
        if current == UInt8(ascii: "}") {
            index += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
            let name = try string()
            guard !members.contains(where: { $0.name.hasSameBytes(as: name) }) else { throw error(.duplicateMember) }
            guard members.count < Self.maximumMembers else { throw error(.tooManyMembers) }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw error(.unexpectedByte) }
            index += 1
            skipSpace()
            members.append(JSONMember(name: name, value: try value(depth: depth + 1)))
            if try !another(closing: UInt8(ascii: "}")) { return .object(members) }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var items: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            index += 1
            return .array(items)
        }
        while true {
            skipSpace()
            items.append(try value(depth: depth + 1))
            if try !another(closing: UInt8(ascii: "]")) { return .array(items) }
        }
    }

    /// Steps over a comma (true) or the closing bracket (false).
    private mutating func another(closing: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = current, byte == UInt8(ascii: ",") || byte == closing else { throw error(.unexpectedByte) }
        index += 1
        return byte != closing
    }

    private mutating func number() throws(JSONError) -> String {
        let start = index
        if current == UInt8(ascii: "-") { index += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[index - whole] != UInt8(ascii: "0") else { throw error(.invalidNumber) }
        if current == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { throw error(.invalidNumber) }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { throw error(.invalidNumber) }
        }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<index]), as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        return index - start
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        while let byte = current {
            if byte == UInt8(ascii: "\"") {
                // The usual case: no escape, one validated copy.
                guard let text = String(validating: UnsafeBufferPointer(rebasing: bytes[start..<index]), as: UTF8.self) else {
                    throw error(.invalidString)
                }
                index += 1
                return text
            }
            guard byte >= 0x20 else { throw error(.invalidString) }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            index += 1
        }
        throw error(.unexpectedEnd)
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var unescaped = Array(bytes[start..<index])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: unescaped, as: UTF8.self) else { throw error(.invalidString) }
                index += 1
                return text
            case UInt8(ascii: "\\"):
                index += 1
                try escape(into: &unescaped)
            case 0..<0x20:
                throw error(.invalidString)
            default:
                unescaped.append(byte)
                index += 1
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw error(.unexpectedEnd) }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"): try unicodeEscape(into: &unescaped)
        default: throw error(.invalidString)
        }
    }

    private mutating func unicodeEscape(into unescaped: inout [UInt8]) throws(JSONError) {
        var code = UInt32(try hexadecimalQuad())
        if code >= 0xD800, code < 0xDC00 {
            guard current == UInt8(ascii: "\\"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "u") else {
                throw error(.invalidString)
            }
            index += 2
            let low = UInt32(try hexadecimalQuad())
            guard low >= 0xDC00, low < 0xE000 else { throw error(.invalidString) }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error(.invalidString) }
        unescaped.append(contentsOf: String(Character(scalar)).utf8)
    }

    private mutating func hexadecimalQuad() throws(JSONError) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error(.invalidString)
            }
            code = (code << 4) | UInt16(digit)
            index += 1
        }
        return code
    }
}
