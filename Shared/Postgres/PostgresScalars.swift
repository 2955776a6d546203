package import FoundationEssentials

// The scalar types of the wire, one extension each: object ids, size, bytes out, bytes in.

extension Bool: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.bool }
    package static var postgresArrayType: UInt32 { PostgresType.boolArray }
    package var postgresWireSize: Int { 1 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: self ? 1 : 0, as: UInt8.self)
    }
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Bool {
        guard type == PostgresType.bool else { throw mismatch(type) }
        guard bytes.count == 1 else { throw malformed() }
        return bytes[0] != 0
    }
}

extension Int16: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.int2 }
    package static var postgresArrayType: UInt32 { PostgresType.int2Array }
    package var postgresWireSize: Int { 2 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) { target.storeBytes(of: bigEndian, as: Int16.self) }
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int16 {
        guard type == PostgresType.int2 else { throw mismatch(type) }
        guard bytes.count == 2 else { throw malformed() }
        return Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))
    }
}

extension Int32: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.int4 }
    package static var postgresArrayType: UInt32 { PostgresType.int4Array }
    package var postgresWireSize: Int { 4 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) { target.storeBytes(of: bigEndian, as: Int32.self) }
    /// Narrower integers widen.
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int32 {
        switch (type, bytes.count) {
        case (PostgresType.int4, 4): return Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
        case (PostgresType.int2, 2): return Int32(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        case (PostgresType.int4, _), (PostgresType.int2, _): throw malformed()
        default: throw mismatch(type)
        }
    }
}

extension Int64: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.int8 }
    package static var postgresArrayType: UInt32 { PostgresType.int8Array }
    package var postgresWireSize: Int { 8 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) { target.storeBytes(of: bigEndian, as: Int64.self) }
    /// Narrower integers widen.
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Int64 {
        switch (type, bytes.count) {
        case (PostgresType.int8, 8): return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case (PostgresType.int4, 4): return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case (PostgresType.int2, 2): return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        case (PostgresType.int8, _), (PostgresType.int4, _), (PostgresType.int2, _): throw malformed()
        default: throw mismatch(type)
        }
    }
}

extension Double: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.float8 }
    package static var postgresArrayType: UInt32 { PostgresType.float8Array }
    package var postgresWireSize: Int { 8 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: bitPattern.bigEndian, as: UInt64.self)
    }
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Double {
        switch (type, bytes.count) {
        case (PostgresType.float8, 8): return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
        case (PostgresType.float4, 4): return Double(Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
        case (PostgresType.float8, _), (PostgresType.float4, _): throw malformed()
        default: throw mismatch(type)
        }
    }
}

extension UUID: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.uuid }
    package static var postgresArrayType: UInt32 { PostgresType.uuidArray }
    package var postgresWireSize: Int { 16 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) { target.storeBytes(of: uuid, as: uuid_t.self) }
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> UUID {
        guard type == PostgresType.uuid else { throw mismatch(type) }
        guard bytes.count == 16 else { throw malformed() }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension String: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.text }
    package static var postgresArrayType: UInt32 { PostgresType.textArray }
    package var postgresWireSize: Int { utf8.count }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        var copy = self
        copy.withUTF8 { if let base = $0.baseAddress { target.copyMemory(from: base, byteCount: $0.count) } }
    }
    /// Reads every type whose wire form is text, enums' labels and JSON among them.
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> String {
        switch type {
        case PostgresType.text, PostgresType.varchar, PostgresType.bpchar, PostgresType.name, PostgresType.char, PostgresType.unknown,
            PostgresType.json:
            return try text(bytes)
        case PostgresType.jsonb:
            guard bytes.first == PostgresJSON.jsonbVersion else { throw malformed() }
            return try text(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
        case PostgresType.firstUserDefined...:
            return try text(bytes)
        default:
            throw mismatch(type)
        }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed() }
        return text
    }
}

/// A byte is an element only so that `[UInt8]` can be `bytea`; alone it has no type of its own in Postgres.
extension UInt8: PostgresArrayElement {
    package static var postgresType: UInt32 { PostgresType.char }
    package static var postgresArrayType: UInt32 { PostgresType.bytea }
    package var postgresWireSize: Int { 1 }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) { target.storeBytes(of: self, as: UInt8.self) }
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> UInt8 {
        guard type == PostgresType.char else { throw mismatch(type) }
        guard bytes.count == 1 else { throw malformed() }
        return bytes[0]
    }
    package static func postgresBind(array: [UInt8]) -> PostgresBind { PostgresBind(type: PostgresType.bytea, bytes: array) }
    package static func decodeArray(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [UInt8] {
        guard type == PostgresType.bytea else { throw [UInt8].mismatch(type) }
        return [UInt8](bytes)
    }
}

/// `bytea[]`.
extension [UInt8]: PostgresArrayElement {
    package static var postgresArrayType: UInt32 { PostgresType.byteaArray }
    package var postgresWireSize: Int { count }
    package func writePostgresWire(to target: UnsafeMutableRawPointer) {
        withUnsafeBytes { if let base = $0.baseAddress { target.copyMemory(from: base, byteCount: $0.count) } }
    }
}
