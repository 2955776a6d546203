package import AMQP
import Contracts
import EventBroker
package import ServiceRuntime
import StrictJSON

/// What `fleetctl topology plan` and `apply` print.
package struct TopologyReport: Sendable {
    package enum Action: String, Sendable {
        case plan, apply
    }

    private let action: Action
    private let bindings: [AMQPBinding]
    private let unconsumed: [String]
    private let made: [TopologyFinding]
    private let missing: [TopologyFinding]
    private let different: [TopologyFinding]

    /// - Parameters:
    ///   - types: Every event type of the fleet.
    ///   - made: What `apply` made.
    ///   - findings: Where the broker differs from the topology, still.
    package init(_ action: Action, types: [String], made: [TopologyFinding] = [], findings: [TopologyFinding]) {
        self.action = action
        bindings = EventTopology.whole(types: types).bindings
        unconsumed = EventTopology.unconsumed(among: types)
        self.made = made
        missing = findings.filter { $0.difference == .missing }
        different = findings.filter { $0.difference != .missing }
    }

    package var exit: ProcessExit { hasDrift ? .failure : .success }

    private var hasDrift: Bool { !missing.isEmpty || !different.isEmpty }

    /// One line per thing that is to be known or done, and a summary.
    package var text: String {
        var lines = made.map { "made: \($0.subject.rawValue) \($0.name)" }
        lines += missing.map { "missing: \($0.subject.rawValue) \($0.name)" }
        for finding in different { lines += ["different: \(finding)", "  \(finding.remedy)"] }
        lines += unconsumed.map { "unconsumed: \($0) has no consumer and goes to \(EventTopology.unconsumedQueue.name)" }
        if action == .plan { lines += bindings.map { "not compared: binding \($0)" } }
        lines.append(summary)
        return lines.map(PlainLine.text).joined(separator: "\n")
    }

    /// One object; its members are the same for both actions. `bindings_compared` tells that no statement is made about bindings.
    package var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("action", action.rawValue)
            writer.member("drift", hasDrift)
            Self.write(made, as: "made", to: &writer)
            Self.write(missing, as: "missing", to: &writer)
            Self.write(different, as: "different", to: &writer)
            writer.name("unconsumed")
            writer.array { writer in for type in unconsumed { writer.string(type) } }
            writer.member("bindings_compared", false)
            writer.name("bindings")
            writer.array { writer in
                for binding in bindings {
                    writer.object { writer in
                        writer.member("exchange", binding.exchange)
                        writer.member("queue", binding.queue)
                        writer.member("routing_key", binding.routingKey)
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private var summary: String {
        let types = "\(unconsumed.count) event type\(unconsumed.count == 1 ? "" : "s") without a consumer"
        switch action {
        case .plan:
            let drift = hasDrift ? "\(missing.count) missing, \(different.count) different" : "no drift"
            return "\(drift); \(bindings.count) bindings not compared, for AMQP can't ask for them (apply makes them); \(types)"
        case .apply:
            let drift = hasDrift ? "\(missing.count + different.count) not as they should be" : "everything is in place, bindings included"
            return "\(made.count) made; \(drift); \(types)"
        }
    }

    private static func write(_ findings: [TopologyFinding], as name: StaticString, to writer: inout JSONWriter) {
        writer.name(name)
        writer.array { writer in
            for finding in findings {
                writer.object { writer in
                    writer.member("subject", finding.subject.rawValue)
                    writer.member("name", finding.name)
                    switch finding.difference {
                    case .missing: break
                    case .argument(let argument, let wanted, let found):
                        writer.member("argument", argument)
                        if let wanted { writer.member("wanted", wanted) } else { writer.memberNull("wanted") }
                        if let found { writer.member("found", found) } else { writer.memberNull("found") }
                    case .refused(let code): writer.member("refused", Int64(code))
                    }
                }
            }
        }
    }
}

extension TopologyFinding {
    /// What an operator must do, for what can't be made by declaring it.
    fileprivate var remedy: String {
        if case .refused = difference {
            return "the broker lets the user of RABBITMQ_URL not do it: see infra/rabbitmq/permissions.json, then apply again"
        }
        switch subject {
        case .exchange:
            // rabbitmqctl has no command for it, and rabbitmqadmin is part of a plugin that no broker here runs.
            let deletion = #"rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, <<"\#(name)">>), false, <<"operator">>)."#
            return "an exchange can't be changed: stop the relays, delete it (rabbitmqctl eval '\(deletion)'), which takes its bindings away "
                + "too, and apply; events wait in their outboxes"
        case .queue:
            return "a queue can't be changed: stop the relays, let the release that declared it empty it or shovel its messages away, delete it "
                + "(rabbitmqctl delete_queue \(name)), and apply; events wait in their outboxes"
        case .binding: return "apply again"
        }
    }
}
