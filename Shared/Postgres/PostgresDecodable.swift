/// A value that can be read from a column of a result in Postgres's binary format.
package protocol PostgresDecodable {
    /// Reads the value from its bytes.
    /// - Throws: `PostgresError` of kind `decoding` when the type or the bytes don't fit.
    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Self

    /// What NULL means; an error unless the type is optional.
    static func decodeNull() throws(PostgresError) -> Self
}

extension PostgresDecodable {
    package static func decodeNull() throws(PostgresError) -> Self {
        throw PostgresError(.decoding, "NULL where \(Self.self) is expected")
    }

    static func mismatch(_ type: UInt32) -> PostgresError {
        PostgresError(.decoding, "a column of type oid \(type) can't be read as \(Self.self)")
    }

    static func malformed() -> PostgresError {
        PostgresError(.decoding, "malformed bytes for \(Self.self)")
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Wrapped? {
        try Wrapped.decode(bytes, type: type)
    }

    package static func decodeNull() throws(PostgresError) -> Wrapped? { nil }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> [Element] {
        try Element.decodeArray(bytes, type: type)
    }
}
