import Observability

/// Every setting with unit, default and current value, as the `config` command prints it.
package struct SettingListing: Sendable {
    package struct Row: Sendable {
        package let key: String
        package let summary: String
        package let unit: String?
        package let expected: String
        /// As it would be written; nil when there is none.
        package let defaultValue: String?
        /// The value in force; `<set>` or `<unset>` for a secret, nil when there is none or it is not accepted.
        package let value: String?
        /// Why the value is not accepted.
        package let problem: String?
    }

    static let set = "<set>"
    static let unset = "<unset>"
    private static let none = "-"

    package let rows: [Row]

    package init(of declared: [any SettingDeclaration], environment: [String: String]) {
        rows = SettingsReader(environment: environment).outcomes(of: declared).map { setting, outcome in
            let (value, problem): (String?, String?) =
                switch outcome {
                case .success(let reading): (setting.isSecret ? reading.rendered ?? Self.unset : reading.rendered, nil)
                case .failure(let invalid): (setting.isSecret && environment[setting.key, default: ""].isEmpty ? Self.unset : nil, "\(invalid)")
                }
            return Row(
                key: setting.key, summary: setting.summary, unit: setting.unit, expected: setting.expected,
                defaultValue: setting.renderedDefault, value: value, problem: problem)
        }
    }

    /// Whether a process would start with these settings, as far as each alone can tell.
    package var isAccepted: Bool { rows.allSatisfy { $0.problem == nil } }

    /// A table in aligned columns, a line for each setting and one more for each problem.
    package var table: String {
        let cells =
            [["SETTING", "VALUE", "DEFAULT", "UNIT OR FORM", "MEANING"]]
            + rows.map { row in
                [row.key, row.value ?? Self.none, row.defaultValue ?? Self.none, row.unit ?? row.expected, row.summary]
            }
        let widths = (0..<4).map { column in cells.map { $0[column].count }.max() ?? 0 }
        var lines = cells.map { cells in
            zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ") + "  " + cells[4]
        }
        lines += rows.compactMap { row in row.problem.map { "refused: \($0)" } }
        return lines.joined(separator: "\n")
    }

    /// A JSON array with an object for each setting.
    package var json: String {
        let objects = rows.map { row in
            let members: [(String, String?)] = [
                ("key", row.key), ("value", row.value), ("default", row.defaultValue), ("unit", row.unit), ("expected", row.expected),
                ("summary", row.summary), ("problem", row.problem),
            ]
            return "{" + members.map { "\(JSONText.quoted($0)):\($1.map(JSONText.quoted) ?? "null")" }.joined(separator: ",") + "}"
        }
        return "[" + objects.joined(separator: ",") + "]"
    }
}
