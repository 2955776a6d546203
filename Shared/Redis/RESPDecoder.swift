package import NIOCore

/// What of the bytes received is no reply, or one beyond the bounds.
package enum RESPFault: String, Error, Sendable, Hashable {
    case unknownType = "unknown type"
    case malformedLength = "malformed length"
    case malformedNumber = "malformed number"
    case malformedLine = "malformed line"
    case missingTerminator = "missing terminator"
    case lineTooLong = "line too long"
    case replyTooLarge = "reply too large"
    case tooManyElements = "too many elements"
    case tooDeep = "nested too deep"
    case unsolicited = "a reply to no command"
}

/// Takes replies out of a stream of bytes, however it is cut into pieces.
///
/// Work is proportional to the bytes, memory to what a reply may hold. After a fault it is of no use any more: nobody knows where the
/// next reply begins.
package struct RESPDecoder {
    /// A line: a number, a status, an error's text.
    package static let maximumLineBytes = 4_096
    /// All texts of one reply together.
    package static let maximumReplyBytes = 4_194_304
    /// The elements of one reply together, those of inner arrays included.
    package static let maximumElements = 65_536
    package static let maximumDepth = 8
    private static let compactionThreshold = 65_536

    private enum Shape {
        case array
        case push
        /// RESP3's remarks about the value that follows; dropped.
        case attributes
    }

    private struct Aggregate {
        let shape: Shape
        let count: Int
        var values: [RedisValue] = []
    }

    private enum BulkKind {
        case text
        case error
        /// With a three-letter format and a colon in front.
        case verbatim
    }

    private enum Item {
        case value(RedisValue)
        case aggregate(Shape, count: Int)
        case bulk(BulkKind, length: Int)
    }

    private var buffer = ByteBuffer()
    /// How much of the readable bytes was searched for the end of a line.
    private var searched = 0
    private var open: [Aggregate] = []
    private var pendingBulk: (kind: BulkKind, length: Int)?
    private var replyBytes = 0
    private var replyElements = 0

    package init() {}

    package mutating func append(_ bytes: inout ByteBuffer) {
        if buffer.readableBytes == 0 { buffer.clear() }
        if buffer.readerIndex > Self.compactionThreshold { buffer.discardReadBytes() }
        buffer.writeBuffer(&bytes)
    }

    /// The next complete reply, or nil when more bytes are needed.
    package mutating func next() throws(RESPFault) -> RedisValue? {
        while true {
            let item: Item
            if let bulk = pendingBulk {
                guard let value = try takeBulk(bulk.kind, bulk.length) else { return nil }
                pendingBulk = nil
                item = .value(value)
            } else {
                guard let line = try takeLine() else { return nil }
                item = try Self.item(line)
            }
            switch item {
            case .value(let value):
                if let reply = add(value) { return reply }
            case .bulk(let kind, let length):
                try count(bytes: length)
                pendingBulk = (kind, length)
            case .aggregate(let shape, let count):
                guard open.count < Self.maximumDepth else { throw .tooDeep }
                guard count <= Self.maximumElements - replyElements else { throw .tooManyElements }
                replyElements += count
                open.append(Aggregate(shape: shape, count: count))
                if count == 0, let reply = closeFull() { return reply }
            }
        }
    }

    /// Puts a value where it belongs.
    ///
    /// - Returns: The reply that is complete with it.
    private mutating func add(_ value: RedisValue) -> RedisValue? {
        guard !open.isEmpty else { return finished(value) }
        open[open.count - 1].values.append(value)
        return closeFull()
    }

    /// Closes the aggregates that are full, from the innermost on.
    private mutating func closeFull() -> RedisValue? {
        while let last = open.last, last.values.count == last.count {
            open.removeLast()
            let value: RedisValue
            switch last.shape {
            case .attributes: return nil
            case .array: value = .array(last.values)
            case .push: value = .push(last.values)
            }
            if open.isEmpty { return finished(value) }
            open[open.count - 1].values.append(value)
        }
        return nil
    }

    private mutating func finished(_ value: RedisValue) -> RedisValue {
        replyBytes = 0
        replyElements = 0
        return value
    }

    private mutating func count(bytes: Int) throws(RESPFault) {
        guard bytes <= Self.maximumReplyBytes - replyBytes else { throw .replyTooLarge }
        replyBytes += bytes
    }

    // MARK: bytes

    /// A line without its end.
    private mutating func takeLine() throws(RESPFault) -> [UInt8]? {
        let view = buffer.readableBytesView
        guard let end = view.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) else {
            searched = view.count
            guard view.count <= Self.maximumLineBytes else { throw .lineTooLong }
            return nil
        }
        let length = end - view.startIndex
        guard length <= Self.maximumLineBytes else { throw .lineTooLong }
        guard length > 0, view[end - 1] == UInt8(ascii: "\r") else { throw .malformedLine }
        let line = Array(view[view.startIndex..<(end - 1)])
        guard !line.isEmpty, !line.contains(UInt8(ascii: "\r")) else { throw .malformedLine }
        buffer.moveReaderIndex(forwardBy: length + 1)
        searched = 0
        try count(bytes: line.count)
        return line
    }

    private mutating func takeBulk(_ kind: BulkKind, _ length: Int) throws(RESPFault) -> RedisValue? {
        guard buffer.readableBytes >= length + 2 else { return nil }
        guard buffer.getInteger(at: buffer.readerIndex + length, as: UInt16.self) == 0x0D0A else { throw .missingTerminator }
        let bytes = buffer.readBytes(length: length) ?? []
        buffer.moveReaderIndex(forwardBy: 2)
        switch kind {
        case .text: return .bulk(bytes)
        case .error: return .error(RedisServerError(message: String(decoding: bytes, as: UTF8.self)))
        case .verbatim:
            guard bytes.count >= 4, bytes[3] == UInt8(ascii: ":") else { throw .malformedLine }
            return .bulk(Array(bytes.dropFirst(4)))
        }
    }

    // MARK: lines

    private static func item(_ line: [UInt8]) throws(RESPFault) -> Item {
        let rest = line.dropFirst()
        switch line[0] {
        case UInt8(ascii: "+"): return .value(.simple(String(decoding: rest, as: UTF8.self)))
        case UInt8(ascii: "-"): return .value(.error(RedisServerError(message: String(decoding: rest, as: UTF8.self))))
        case UInt8(ascii: ":"): return .value(.integer(try integer(rest, else: .malformedNumber)))
        case UInt8(ascii: "("):
            // Beyond 64 bits: kept as it was sent.
            guard isNumber(rest) else { throw .malformedNumber }
            return .value(.simple(String(decoding: rest, as: UTF8.self)))
        case UInt8(ascii: ","):
            guard let value = Double(String(decoding: rest, as: UTF8.self)) else { throw .malformedNumber }
            return .value(.double(value))
        case UInt8(ascii: "#"):
            guard rest.elementsEqual("t".utf8) || rest.elementsEqual("f".utf8) else { throw .malformedLine }
            return .value(.boolean(rest.first == UInt8(ascii: "t")))
        case UInt8(ascii: "_"):
            guard rest.isEmpty else { throw .malformedLine }
            return .value(.null)
        case UInt8(ascii: "$"): return try lengthOrNull(rest).map { .bulk(.text, length: $0) } ?? .value(.null)
        case UInt8(ascii: "!"): return .bulk(.error, length: try length(rest))
        case UInt8(ascii: "="): return .bulk(.verbatim, length: try length(rest))
        case UInt8(ascii: "*"): return try lengthOrNull(rest).map { .aggregate(.array, count: $0) } ?? .value(.null)
        case UInt8(ascii: "~"): return .aggregate(.array, count: try length(rest))
        case UInt8(ascii: ">"): return .aggregate(.push, count: try length(rest))
        case UInt8(ascii: "%"): return .aggregate(.array, count: 2 * (try length(rest)))
        case UInt8(ascii: "|"): return .aggregate(.attributes, count: 2 * (try length(rest)))
        default: throw .unknownType
        }
    }

    private static func lengthOrNull(_ digits: ArraySlice<UInt8>) throws(RESPFault) -> Int? {
        digits.elementsEqual("-1".utf8) ? nil : try length(digits)
    }

    /// Not negative, and small enough to be doubled.
    private static func length(_ digits: ArraySlice<UInt8>) throws(RESPFault) -> Int {
        let value = try integer(digits, else: .malformedLength)
        guard value >= 0 else { throw .malformedLength }
        guard value <= Int64(Int32.max) else { throw .replyTooLarge }
        return Int(value)
    }

    private static func integer(_ digits: ArraySlice<UInt8>, else fault: RESPFault) throws(RESPFault) -> Int64 {
        guard isNumber(digits), let value = Int64(String(decoding: digits, as: UTF8.self)) else { throw fault }
        return value
    }

    private static func isNumber(_ digits: ArraySlice<UInt8>) -> Bool {
        let unsigned = digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") ? digits.dropFirst() : digits
        return !unsigned.isEmpty && unsigned.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
