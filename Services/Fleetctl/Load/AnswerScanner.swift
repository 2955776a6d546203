/// Finds where one HTTP/1.1 answer ends in the bytes received so far.
///
/// It reads the status and Content-Length and nothing else, so that the generator costs little beside what it measures.
/// An answer without a Content-Length is malformed: wallet-ledger always sends one.
package enum AnswerScanner {
    /// What the bytes received so far are.
    package enum Outcome: Equatable, Sendable {
        /// The answer's end has not come yet.
        case incomplete
        /// One complete answer: `head` and `body` are lengths in bytes; what follows them belongs to the next answer.
        case answer(status: Int, head: Int, body: Int)
        /// Nothing that will become an answer.
        case malformed
    }

    /// A head longer than this is none of wallet-ledger's.
    package static let maximumHeadBytes = 16_384
    /// A body longer than this is none either.
    package static let maximumBodyBytes = 1 << 20
    /// The bytes of a written transfer id.
    package static let transferIDBytes = 30

    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let version: StaticString = "HTTP/1.1 "
    private static let contentLengthName: StaticString = "content-length:"
    private static let transferIDMember: StaticString = "\"id\":\""
    private static let transferIDPrefix: StaticString = "trf_"
    private static let statusDigits = 3
    private static let maximumNumberDigits = 7

    /// Looks at everything that was received since the end of the last answer.
    package static func scan(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var lineStart = 0
        var status = 0
        var length: Int?
        for index in 0..<min(bytes.count, maximumHeadBytes) where bytes[index] == newline {
            guard index > lineStart, bytes[index - 1] == carriageReturn else { return .malformed }
            let lineEnd = index - 1
            if lineStart == 0 {
                guard let value = readStatus(bytes, until: lineEnd) else { return .malformed }
                status = value
            } else if lineStart == lineEnd {
                guard let length else { return .malformed }
                let head = index + 1
                return bytes.count - head >= length ? .answer(status: status, head: head, body: length) : .incomplete
            } else if matches(contentLengthName, in: bytes, at: lineStart, until: lineEnd) {
                guard length == nil, let value = readLength(bytes, from: lineStart + contentLengthName.utf8CodeUnitCount, until: lineEnd) else {
                    return .malformed
                }
                length = value
            }
            lineStart = index + 1
        }
        return bytes.count >= maximumHeadBytes ? .malformed : .incomplete
    }

    /// Where the written id of the posting begins in a body, or nil when the body shows none; it is ``transferIDBytes`` long.
    package static func transferID(in body: UnsafeRawBufferPointer) -> Int? {
        let member = transferIDMember.utf8CodeUnitCount
        guard body.count >= member + transferIDBytes else { return nil }
        for start in 0...(body.count - member - transferIDBytes)
        where matches(transferIDMember, in: body, at: start, until: body.count)
            && matches(transferIDPrefix, in: body, at: start + member, until: body.count)
        {
            return start + member
        }
        return nil
    }

    /// Where the written ids of all transfers begin that the answer to a batch names.
    package static func transferIDs(in body: UnsafeRawBufferPointer) -> [Int] {
        var found: [Int] = []
        var from = 0
        while let start = transferID(in: UnsafeRawBufferPointer(rebasing: body[from...])) {
            found.append(from + start)
            from += start + transferIDBytes
        }
        return found
    }

    private static func readStatus(_ bytes: UnsafeRawBufferPointer, until end: Int) -> Int? {
        let start = version.utf8CodeUnitCount
        guard end >= start + statusDigits, bytes.starts(with: UnsafeBufferPointer(start: version.utf8Start, count: start)) else { return nil }
        guard end == start + statusDigits || bytes[start + statusDigits] == UInt8(ascii: " ") else { return nil }
        return readNumber(bytes, from: start, until: start + statusDigits)
    }

    private static func readLength(_ bytes: UnsafeRawBufferPointer, from start: Int, until end: Int) -> Int? {
        var first = start
        var last = end
        while first < last, bytes[first] == UInt8(ascii: " ") { first += 1 }
        while last > first, bytes[last - 1] == UInt8(ascii: " ") { last -= 1 }
        guard let value = readNumber(bytes, from: first, until: last), value <= maximumBodyBytes else { return nil }
        return value
    }

    private static func readNumber(_ bytes: UnsafeRawBufferPointer, from start: Int, until end: Int) -> Int? {
        guard start < end, end - start <= maximumNumberDigits else { return nil }
        var value = 0
        for index in start..<end {
            guard bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        return value
    }

    /// Whether a text, written here in lower case, stands at the place in any case.
    private static func matches(_ text: StaticString, in bytes: UnsafeRawBufferPointer, at start: Int, until end: Int) -> Bool {
        guard end - start >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount {
            let byte = bytes[start + index]
            let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            guard (isUpper ? byte | 0x20 : byte) == text.utf8Start[index] else { return false }
        }
        return true
    }
}
