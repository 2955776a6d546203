/// Values that a statement binds one after the other, each by the name of the parameter or column that it is for.
///
/// `SELECT pay(\(arguments))` passes them to a function by their place, for names would cost the server time: a test compares ``names`` and
/// types with the catalogue. In an INSERT both lists come from here:
/// `INSERT INTO wallets (\(unsafeSQL: row.list)) VALUES (\(row))`, or `SELECT * FROM unnest(\(rows))` where each is an array.
package struct PostgresArguments: Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var names: [String]
    package private(set) var binds: [PostgresBind]

    /// - Parameter elements: The names are SQL text of the code's own, never from outside.
    package init(dictionaryLiteral elements: (String, any PostgresEncodable)...) {
        names = elements.map(\.0)
        binds = elements.map(\.1.postgresBind)
    }

    /// The names as a statement lists them.
    package var list: String { names.joined(separator: ", ") }

    package static func += (left: inout PostgresArguments, right: PostgresArguments) {
        left.names += right.names
        left.binds += right.binds
    }
}
