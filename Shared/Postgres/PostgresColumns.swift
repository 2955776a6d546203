/// Columns that are selected and read together: their names and types, said once.
///
/// A statement selects them with `SELECT \(unsafeSQL: columns) FROM …`, and a row that begins with them is read with `row.decode(columns)`,
/// so that the order in which they are selected and the one in which they are read can't differ.
package struct PostgresColumns<each Value: PostgresDecodable>: Sendable {
    /// The columns as a SELECT lists them.
    package let list: String
    let count: Int

    /// - Parameter columns: Names or expressions, SQL text of the code's own and never from outside; with the type as which each is read.
    package init(_ columns: repeat (String, (each Value).Type)) {
        var names: [String] = []
        for (name, _) in repeat each columns { names.append(name) }
        list = names.joined(separator: ", ")
        count = names.count
    }
}

/// How many values a pack has.
func packCount<each Value>(_ values: repeat each Value) -> Int {
    var count = 0
    for _ in repeat each values { count += 1 }
    return count
}
