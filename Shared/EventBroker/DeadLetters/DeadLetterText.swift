internal import Contracts
internal import ServiceRuntime
package import StrictJSON

/// How dead letters are shown; never their data.
package enum DeadLetterText {
    /// What is said when the named one is not there.
    package static let noneOpen = "there is no such open dead letter"
    private static let none = "-"

    /// A line of titles, then one line for each.
    package static func table(_ letters: [DeadLetterSummary]) -> [String] {
        let cells =
            [["ID", "EVENT", "TYPE", "CLASS", "ATTEMPTS", "FIRST FAILED", "LAST FAILED", "STATUS", "REASON"]]
            + letters.map { letter in
                [
                    String(letter.id), letter.eventID?.description ?? none, PlainLine.text(letter.type ?? none), letter.kind.rawValue,
                    String(letter.attempts), letter.firstFailedAt.description, letter.lastFailedAt.description, letter.status.rawValue,
                    PlainLine.text(letter.reason),
                ]
            }
        let widths = (0..<8).map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ") + "  " + row[8]
        }
    }

    /// The listing: a table and how many there are, or JSON.
    ///
    /// - Parameter owner: Whose they are.
    package static func listing(_ letters: [DeadLetterSummary], of owner: String, limit: Int, json: Bool) -> [String] {
        guard !json else { return letters.map(self.json) }
        return table(letters) + ["\(letters.count) dead letters of \(owner)" + (letters.count == limit ? ", perhaps more" : "")]
    }

    /// The beginning of a line about one.
    package static func name(_ letter: DeadLetterSummary) -> String {
        "\(letter.id)  \(letter.eventID?.description ?? none)  \(PlainLine.text(letter.type ?? none))"
    }

    package static func json(_ letter: DeadLetterSummary) -> String { object { members(of: letter, &$0) } }

    /// The JSON of one and what a replay made of it.
    package static func json(_ letter: DeadLetterSummary, result: String, failure: (kind: DeadLetterClass, reason: String)? = nil) -> String {
        object { writer in
            writer.member("id", letter.id)
            optional("event_id", letter.eventID?.description, &writer)
            optional("type", letter.type, &writer)
            writer.member("result", result)
            guard let failure else { return }
            writer.member("class", failure.kind.rawValue)
            writer.member("reason", failure.reason)
        }
    }

    package static func members(of letter: DeadLetterSummary, _ writer: inout JSONWriter) {
        writer.member("id", letter.id)
        optional("event_id", letter.eventID?.description, &writer)
        optional("type", letter.type, &writer)
        optional("partition_key", letter.partitionKey, &writer)
        optional("occurred_at", letter.occurredAt?.description, &writer)
        writer.member("class", letter.kind.rawValue)
        writer.member("reason", letter.reason)
        writer.member("attempts", Int64(letter.attempts))
        writer.member("first_failed_at", letter.firstFailedAt.description)
        writer.member("last_failed_at", letter.lastFailedAt.description)
        writer.member("status", letter.status.rawValue)
        optional("note", letter.note, &writer)
        optional("body_key_id", letter.bodyKeyID, &writer)
    }

    package static func object(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.object(members)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func optional(_ name: StaticString, _ value: String?, _ writer: inout JSONWriter) {
        if let value { writer.member(name, value) } else { writer.memberNull(name) }
    }
}
