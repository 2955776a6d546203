/// One value bound to a statement: its type's object id and its bytes in Postgres's binary format.
package struct PostgresBind: Sendable, Hashable {
    /// The type's object id; 0 lets the server infer it.
    package let type: UInt32
    /// The binary form, nil for NULL.
    package let bytes: [UInt8]?

    package init(type: UInt32, bytes: [UInt8]?) {
        self.type = type
        self.bytes = bytes
    }
}

/// A value that can be bound to a statement.
package protocol PostgresEncodable {
    /// The type's object id, which a NULL needs too; 0 (the default) lets the server infer it.
    static var postgresType: UInt32 { get }
    var postgresBind: PostgresBind { get }
}

extension PostgresEncodable {
    package static var postgresType: UInt32 { PostgresType.unspecified }
}

extension PostgresBind: PostgresEncodable {
    package var postgresBind: PostgresBind { self }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: UInt32 { Wrapped.postgresType }

    package var postgresBind: PostgresBind {
        switch self {
        case .some(let value): value.postgresBind
        case .none: PostgresBind(type: Wrapped.postgresType, bytes: nil)
        }
    }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: UInt32 { Element.postgresArrayType }
    package var postgresBind: PostgresBind { Element.postgresBind(array: self) }
}
