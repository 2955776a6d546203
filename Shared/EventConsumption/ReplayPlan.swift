internal import Contracts
package import EventBroker
import StrictJSON

/// What a replay would meet, dead letter by dead letter, in the order in which it would take them.
package struct ReplayPlan: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable, CaseIterable {
        case new
        /// It would change nothing but the dead letter's status.
        case alreadyApplied = "already_applied"
        /// A later event of the same partition key was applied or is a dead letter too.
        case outOfOrder = "out_of_order"
    }

    package struct Item: Sendable, Hashable {
        package let letter: DeadLetterSummary
        package let verdict: Verdict
        /// In words, for a verdict that needs some.
        package let detail: String?
        /// Older than may be replayed without force.
        package let isTooOld: Bool

        init(_ letter: DeadLetterSummary, _ prospect: DeadLetterRepository.Prospect, now: Timestamp) {
            self.letter = letter
            isTooOld = letter.isTooOld(now)
            if prospect.isApplied {
                (verdict, detail) = (.alreadyApplied, nil)
            } else if prospect.isOvertaken {
                (verdict, detail) = (.outOfOrder, "a later event of the same partition key was applied")
            } else if prospect.isFollowed {
                (verdict, detail) = (.outOfOrder, "a later event of the same partition key is a dead letter too")
            } else {
                (verdict, detail) = (.new, nil)
            }
        }
    }

    package let items: [Item]

    package func count(_ verdict: Verdict) -> Int { items.count { $0.verdict == verdict } }
    package var tooOld: Int { items.count { $0.isTooOld } }

    var countsJSON: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("new", Int64(count(.new)))
            writer.member("already_applied", Int64(count(.alreadyApplied)))
            writer.member("out_of_order", Int64(count(.outOfOrder)))
            writer.member("too_old", Int64(tooOld))
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
