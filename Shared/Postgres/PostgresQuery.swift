/// One SQL statement and its bound values.
///
/// Interpolating a value binds it as `$1`, `$2`, ...; it never becomes SQL text. Only `\(unsafeSQL: "...")` does.
package struct PostgresQuery: Sendable, Hashable, ExpressibleByStringInterpolation {
    package let sql: String
    package let binds: [PostgresBind]

    /// Takes the text as it is; the caller vouches that it holds nothing from outside.
    package init(unsafeSQL: String, binds: [PostgresBind] = []) {
        sql = unsafeSQL
        self.binds = binds
    }

    package init(stringLiteral value: String) {
        self.init(unsafeSQL: value)
    }

    package init(stringInterpolation: StringInterpolation) {
        self.init(unsafeSQL: stringInterpolation.sql, binds: stringInterpolation.binds)
    }

    package struct StringInterpolation: StringInterpolationProtocol, Sendable {
        fileprivate var sql: String
        fileprivate var binds: [PostgresBind]

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = ""
            sql.reserveCapacity(literalCapacity + 4 * interpolationCount)
            binds = []
            binds.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) {
            sql += literal
        }

        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            binds.append(value.postgresBind)
            sql += "$\(binds.count)"
        }

        /// Binds NULL where there is no value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            binds.append(value.postgresBind)
            sql += "$\(binds.count)"
        }

        /// Binds the values one after the other, with a comma between them.
        package mutating func appendInterpolation(_ arguments: PostgresArguments) {
            for (place, bind) in arguments.binds.enumerated() {
                binds.append(bind)
                sql += place == 0 ? "$\(binds.count)" : ", $\(binds.count)"
            }
        }

        /// Appends SQL text, not a value; it must never come from outside.
        package mutating func appendInterpolation(unsafeSQL: String) {
            sql += unsafeSQL
        }

        /// Appends the names of columns.
        package mutating func appendInterpolation<each Column>(unsafeSQL columns: PostgresColumns<repeat each Column>) {
            sql += columns.list
        }
    }
}
