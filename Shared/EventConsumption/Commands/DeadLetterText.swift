internal import Contracts
internal import ServiceRuntime
import StrictJSON

/// How dead letters and what became of them are shown; never what was in them.
enum DeadLetterText {
    private static let none = "-"

    static func table(_ letters: [DeadLetterSummary]) -> [String] {
        let cells =
            [["ID", "EVENT", "TYPE", "CLASS", "ATTEMPTS", "FIRST FAILED", "LAST FAILED", "STATUS", "REASON"]]
            + letters.map { letter in
                [
                    String(letter.id), event(letter), PlainLine.text(letter.type ?? none), letter.kind.rawValue, String(letter.attempts),
                    letter.firstFailedAt.description, letter.lastFailedAt.description, letter.status.rawValue, PlainLine.text(letter.reason),
                ]
            }
        let widths = (0..<8).map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ") + "  " + row[8]
        }
    }

    static func line(_ item: ReplayPlan.Item) -> String {
        var text = "\(item.letter.id)  \(event(item.letter))  \(PlainLine.text(item.letter.type ?? none))  \(item.verdict.rawValue)"
        if let detail = item.detail { text += " (\(detail))" }
        return item.isTooOld ? text + "  too old (use --force)" : text
    }

    static func line(_ plan: ReplayPlan) -> String {
        let verdicts = ReplayPlan.Verdict.allCases.map { "\(plan.count($0)) \($0.rawValue)" }
        return "\(plan.items.count) would be replayed: \(verdicts.joined(separator: ", ")); \(plan.tooOld) too old (use --force)"
    }

    static func line(_ letter: DeadLetterSummary, _ result: ReplayResult) -> String {
        let text = "\(letter.id)  \(event(letter))  \(PlainLine.text(letter.type ?? none))  \(result.label)"
        guard case .failed(let failure) = result else { return text }
        return "\(text)  \(failure)"
    }

    static func line(_ summary: ReplaySummary, isDryRun: Bool) -> String {
        guard summary.selected > 0 else { return "nothing to replay" }
        let head = isDryRun ? "dry run, nothing was changed" : "run \(summary.run ?? 0)"
        return "\(head): \(summary.replayed) replayed, \(summary.alreadyApplied) already applied, \(summary.ignored) ignored, "
            + "\(summary.failed) failed, \(summary.taken) claimed by another run (\(summary.takenStillOpen) still open), "
            + "\(summary.tooOld) too old, of \(summary.selected); \(summary.ending.rawValue)"
    }

    static func progress(_ summary: ReplaySummary) -> String {
        "\(summary.tried + summary.taken + summary.tooOld) of \(summary.selected), \(summary.failed) failed"
    }

    static func json(_ letter: DeadLetterSummary) -> String { text { members(of: letter, &$0) } }

    static func json(_ item: ReplayPlan.Item) -> String {
        text { writer in
            members(of: item.letter, &writer)
            writer.member("verdict", item.verdict.rawValue)
            if let detail = item.detail { writer.member("detail", detail) }
            writer.member("too_old", item.isTooOld)
        }
    }

    static func json(_ letter: DeadLetterSummary, _ result: ReplayResult) -> String {
        text { writer in
            writer.member("id", letter.id)
            optional("event_id", letter.eventID?.description, &writer)
            optional("type", letter.type, &writer)
            writer.member("result", result.label)
            guard case .failed(let failure) = result else { return }
            writer.member("class", failure.kind.rawValue)
            writer.member("reason", failure.reason)
        }
    }

    static func json(_ summary: ReplaySummary) -> String {
        text { writer in
            if let run = summary.run { writer.member("run", run) } else { writer.memberNull("run") }
            writer.member("selected", Int64(summary.selected))
            writer.member("replayed", Int64(summary.replayed))
            writer.member("already_applied", Int64(summary.alreadyApplied))
            writer.member("ignored", Int64(summary.ignored))
            writer.member("failed", Int64(summary.failed))
            writer.member("taken_by_another", Int64(summary.taken))
            writer.member("taken_still_open", Int64(summary.takenStillOpen))
            writer.member("too_old", Int64(summary.tooOld))
            writer.member("ending", summary.ending.rawValue)
        }
    }

    private static func members(of letter: DeadLetterSummary, _ writer: inout JSONWriter) {
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
        writer.member("body_key_id", letter.bodyKeyID)
    }

    private static func optional(_ name: StaticString, _ value: String?, _ writer: inout JSONWriter) {
        if let value { writer.member(name, value) } else { writer.memberNull(name) }
    }

    private static func text(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.object(members)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func event(_ letter: DeadLetterSummary) -> String { letter.eventID?.description ?? none }
}
