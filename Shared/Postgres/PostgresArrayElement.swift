/// A type whose values also travel as elements of a one-dimensional Postgres array, without an allocation per element.
package protocol PostgresArrayElement: PostgresEncodable, PostgresDecodable {
    static var postgresArrayType: UInt32 { get }
    /// The number of bytes of the binary form; -1 is NULL.
    var postgresWireSize: Int { get }
    /// Writes exactly `postgresWireSize` bytes.
    func writePostgresWire(to target: UnsafeMutableRawPointer)

    static func postgresBind(array: [Self]) -> PostgresBind
    static func decodeArray(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Self]
}

extension PostgresArrayElement {
    package var postgresBind: PostgresBind {
        let size = postgresWireSize
        guard size >= 0 else { return PostgresBind(type: Self.postgresType, bytes: nil) }
        guard size > 0 else { return PostgresBind(type: Self.postgresType, bytes: []) }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            if let base = buffer.baseAddress { writePostgresWire(to: UnsafeMutableRawPointer(base)) }
            count = size
        }
        return PostgresBind(type: Self.postgresType, bytes: bytes)
    }

    /// The binary array format: dimensions, null flag, element type, length, lower bound, then each element after its size.
    package static func postgresBind(array: [Self]) -> PostgresBind {
        let header = array.isEmpty ? ArrayWire.emptyHeaderSize : ArrayWire.headerSize
        var size = header + ArrayWire.wordSize * array.count
        var hasNull = false
        for element in array {
            let elementSize = element.postgresWireSize
            if elementSize < 0 { hasNull = true } else { size += elementSize }
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = size
            guard let base = buffer.baseAddress else { return }
            var cursor = UnsafeMutableRawPointer(base)
            ArrayWire.append(array.isEmpty ? 0 : 1, &cursor)
            ArrayWire.append(hasNull ? 1 : 0, &cursor)
            ArrayWire.append(Int32(bitPattern: postgresType), &cursor)
            guard !array.isEmpty else { return }
            ArrayWire.append(Int32(truncatingIfNeeded: array.count), &cursor)
            ArrayWire.append(1, &cursor)
            for element in array {
                let elementSize = element.postgresWireSize
                ArrayWire.append(Int32(truncatingIfNeeded: elementSize), &cursor)
                guard elementSize > 0 else { continue }
                element.writePostgresWire(to: cursor)
                cursor += elementSize
            }
        }
        return PostgresBind(type: postgresArrayType, bytes: bytes)
    }

    package static func decodeArray(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Self] {
        var reader = ArrayWire.Reader(bytes: bytes)
        guard let dimensions = reader.word(), reader.word() != nil, let elementType = reader.word() else { throw malformed() }
        guard dimensions != 0 else { return [] }
        guard dimensions == 1, let count = reader.word(), reader.word() != nil, count >= 0 else { throw malformed() }
        // Each element has at least its size word, so a count that the bytes can't hold is refused before memory is reserved.
        guard Int(count) <= reader.remaining / ArrayWire.wordSize else { throw malformed() }
        var elements: [Self] = []
        elements.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let size = reader.word() else { throw malformed() }
            if size == -1 {
                elements.append(try decodeNull())
            } else {
                guard let slice = reader.take(Int(size)) else { throw malformed() }
                elements.append(try decode(slice, type: UInt32(bitPattern: elementType)))
            }
        }
        return elements
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    package static var postgresArrayType: UInt32 { Wrapped.postgresArrayType }

    package var postgresWireSize: Int {
        switch self {
        case .some(let value): value.postgresWireSize
        case .none: -1
        }
    }

    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        self?.writePostgresWire(to: target)
    }
}

/// The words of the binary array format.
enum ArrayWire {
    static let wordSize = 4
    static let emptyHeaderSize = 3 * wordSize
    static let headerSize = 5 * wordSize

    static func append(_ value: Int32, _ cursor: inout UnsafeMutableRawPointer) {
        cursor.storeBytes(of: value.bigEndian, as: Int32.self)
        cursor += wordSize
    }

    struct Reader {
        let bytes: UnsafeRawBufferPointer
        private var offset = 0

        init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        var remaining: Int { bytes.count - offset }

        mutating func word() -> Int32? {
            guard remaining >= wordSize else { return nil }
            defer { offset += wordSize }
            return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }

        mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count >= 0, remaining >= count else { return nil }
            defer { offset += count }
            return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
        }
    }
}
