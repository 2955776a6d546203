import Contracts
import Outbox
import StrictJSON

/// How parked events and what became of them are shown; never what is in them.
enum ParkedText {
    static func line(_ event: HeldStore.Summary) -> String {
        "\(event.eventID)  \(event.type)  \(event.subject)  \(event.attempts) attempts, first \(event.firstFailedAt), "
            + "last \(event.lastFailedAt): \(event.reason)"
    }

    static func line(_ event: HeldStore.Summary, isTooOld: Bool) -> String {
        isTooOld ? "\(line(event))  too old (use --force)" : line(event)
    }

    static func line(_ failure: ReplayParked.Failure) -> String { "\(failure.eventID)  outbox id \(failure.id): \(failure.reason)" }

    static func line(_ result: ReplayParked.Result) -> String {
        let text =
            "\(result.published) published, \(result.failures.count) failed again, \(result.taken) claimed by another run, "
            + "\(result.tooOld.count) too old"
        return result.left == 0 ? text : "\(text), \(result.left) unchanged"
    }

    static func progress(_ result: ReplayParked.Result, of count: Int) -> String {
        "published \(result.published), failed \(result.failures.count), of \(count)"
    }

    static func json(_ event: HeldStore.Summary) -> String { text { members(of: event, &$0) } }

    static func json(_ event: HeldStore.Summary, isTooOld: Bool) -> String {
        text { writer in
            members(of: event, &writer)
            writer.member("too_old", isTooOld)
        }
    }

    static func json(_ failure: ReplayParked.Failure) -> String {
        text { writer in
            writer.member("event_id", failure.eventID.description)
            writer.member("outbox_id", failure.id)
            writer.member("reason", failure.reason)
        }
    }

    static func json(_ result: ReplayParked.Result) -> String {
        text { writer in
            writer.member("published", Int64(result.published))
            writer.member("failed", Int64(result.failures.count))
            writer.member("taken_by_another", Int64(result.taken))
            writer.member("too_old", Int64(result.tooOld.count))
            writer.member("left", Int64(result.left))
        }
    }

    private static func members(of event: HeldStore.Summary, _ writer: inout JSONWriter) {
        writer.member("event_id", event.eventID.description)
        writer.member("type", event.type)
        writer.member("subject", event.subject)
        writer.member("occurred_at", event.occurredAt.description)
        writer.member("outbox_id", event.id)
        writer.member("attempts", Int64(event.attempts))
        writer.member("reason", event.reason)
        writer.member("first_failed_at", event.firstFailedAt.description)
        writer.member("last_failed_at", event.lastFailedAt.description)
    }

    private static func text(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.object(members)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
