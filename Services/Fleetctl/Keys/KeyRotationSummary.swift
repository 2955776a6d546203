import Contracts
import RequestSigning
import StrictJSON

/// What a stage did, for an operator or a script: names, ids and times, never a secret.
package struct KeyRotationSummary: Sendable, CustomStringConvertible {
    private let stage: KeyRotation.Stage
    private let plan: KeyRotation.Plan

    package init(stage: KeyRotation.Stage, plan: KeyRotation.Plan) {
        self.stage = stage
        self.plan = plan
    }

    package var description: String {
        let changed = plan.pairs.count(where: \.changed)
        var lines = [
            changed == 0
                ? "\(stage.rawValue): nothing to do, all \(plan.pairs.count) pairs had this stage already"
                : "\(stage.rawValue): \(changed) of \(plan.pairs.count) pairs changed"
        ]
        for report in plan.pairs {
            lines.append("  \(report.pair)  signs with \(report.signingKeyID), accepted: \(report.acceptedKeyIDs.joined(separator: ", "))")
        }
        lines.append(nextText.map { "next: --stage \($0.stage.rawValue), from \($0.from) on" } ?? "next: nothing, the rotation is complete")
        return lines.joined(separator: "\n")
    }

    /// One object on one line.
    package var json: String {
        var writer = JSONWriter()
        writer.object { object in
            object.member("stage", stage.rawValue)
            object.member("changed", plan.pairs.contains(where: \.changed))
            object.name("pairs")
            object.array { array in
                for report in plan.pairs {
                    array.object { pair in
                        pair.member("pair", report.pair.description)
                        pair.member("changed", report.changed)
                        pair.member("signing_keyid", report.signingKeyID)
                        pair.name("accepted_keyids")
                        pair.array { ids in
                            for id in report.acceptedKeyIDs { ids.string(id) }
                        }
                    }
                }
            }
            object.name("files")
            object.array { array in
                for keys in plan.files { array.string("\(keys.service).keys.json") }
            }
            if let next = nextText {
                object.name("next")
                object.object { object in
                    object.member("stage", next.stage.rawValue)
                    object.member("from", next.from)
                }
            } else {
                object.memberNull("next")
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private var nextText: (stage: KeyRotation.Stage, from: String)? {
        plan.next.map { ($0.stage, Timestamp(microsecondsSinceUnixEpoch: $0.from * 1_000_000).description) }
    }
}
