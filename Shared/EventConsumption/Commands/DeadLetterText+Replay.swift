internal import EventBroker
import StrictJSON

/// How a consumer's replay is shown.
extension DeadLetterText {
    static func line(_ item: ReplayPlan.Item) -> String {
        var text = "\(name(item.letter))  \(item.verdict.rawValue)"
        if let detail = item.detail { text += " (\(detail))" }
        return item.isTooOld ? text + "  too old (use --force)" : text
    }

    static func line(_ plan: ReplayPlan) -> String {
        let verdicts = ReplayPlan.Verdict.allCases.map { "\(plan.count($0)) \($0.rawValue)" }
        return "\(plan.items.count) would be replayed: \(verdicts.joined(separator: ", ")); \(plan.tooOld) too old (use --force)"
    }

    static func line(_ letter: DeadLetterSummary, _ result: ReplayResult) -> String {
        let text = "\(name(letter))  \(result.label)"
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

    static func json(_ item: ReplayPlan.Item) -> String {
        object { writer in
            members(of: item.letter, &writer)
            writer.member("verdict", item.verdict.rawValue)
            if let detail = item.detail { writer.member("detail", detail) }
            writer.member("too_old", item.isTooOld)
        }
    }

    static func json(_ letter: DeadLetterSummary, _ result: ReplayResult) -> String {
        guard case .failed(let failure) = result else { return json(letter, result: result.label) }
        return json(letter, result: result.label, failure: (failure.kind, failure.reason))
    }

    static func json(_ summary: ReplaySummary) -> String {
        object { writer in
            if let run = summary.run { writer.member("run", run) } else { writer.memberNull("run") }
            writer.member("selected", Int64(summary.selected))
            writer.member("replayed", Int64(summary.replayed))
            writer.member("already_applied", Int64(summary.alreadyApplied))
            writer.member("ignored", Int64(summary.ignored))
            writer.member("failed", Int64(summary.failed))
            writer.member("claimed_by_another", Int64(summary.taken))
            writer.member("claimed_still_open", Int64(summary.takenStillOpen))
            writer.member("too_old", Int64(summary.tooOld))
            writer.member("ending", summary.ending.rawValue)
        }
    }
}
