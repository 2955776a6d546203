import EventBroker
import StrictJSON

/// How a relay's replay is shown.
extension DeadLetterText {
    /// What a dry run says of one.
    static func line(_ letter: DeadLetterSummary, isTooOld: Bool) -> String {
        "\(name(letter))  \(letter.attempts) attempts: \(letter.reason)" + (isTooOld ? "  too old (use --force)" : "")
    }

    static func json(_ letter: DeadLetterSummary, isTooOld: Bool) -> String {
        object { writer in
            members(of: letter, &writer)
            writer.member("too_old", isTooOld)
        }
    }

    /// Those that were not published, each with the reason, and the summary.
    static func lines(_ result: RepublishDeadLetters.Result, of selected: Int, json: Bool) -> [String] {
        let failed = result.failures.map { failure in
            json
                ? self.json(failure.letter, result: "failed", failure: (failure.letter.kind, failure.reason))
                : "\(name(failure.letter))  failed  \(failure.reason)"
        }
        let old = result.tooOld.map { json ? self.json($0, result: "too_old") : "\(name($0))  too_old" }
        return failed + old + [json ? summary(result, of: selected) : line(result, of: selected)]
    }

    private static func line(_ result: RepublishDeadLetters.Result, of selected: Int) -> String {
        guard selected > 0 else { return "nothing to replay" }
        let text =
            "\(result.replayed) replayed, \(result.failures.count) failed, \(result.taken) claimed by another run, "
            + "\(result.tooOld.count) too old, of \(selected)"
        return result.left == 0 ? text : "\(text); \(result.left) unchanged"
    }

    private static func summary(_ result: RepublishDeadLetters.Result, of selected: Int) -> String {
        object { writer in
            writer.member("selected", Int64(selected))
            writer.member("replayed", Int64(result.replayed))
            writer.member("failed", Int64(result.failures.count))
            writer.member("claimed_by_another", Int64(result.taken))
            writer.member("too_old", Int64(result.tooOld.count))
            writer.member("unchanged", Int64(result.left))
        }
    }

    static func progress(_ result: RepublishDeadLetters.Result, of selected: Int) -> String {
        "\(result.replayed + result.failures.count) of \(selected), \(result.failures.count) failed"
    }
}
