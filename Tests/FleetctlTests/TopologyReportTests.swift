import AMQP
import EventBroker
import Fleetctl
import ServiceRuntime
import TestSupport
import Testing

@Suite("Topology: what is said")
struct TopologyReportTests {
    /// The first has a consumer, the others have none.
    private static let types = ["ledger.transfer.posted.v1", "ledger.transfer.posted.v2", "risk.alert.raised.v1"]
    private static let drift = [
        TopologyFinding(.exchange, "florin.events", .missing),
        TopologyFinding(.queue, "ops-risk", .argument(name: "x-queue-type", wanted: "quorum", found: "classic")),
        TopologyFinding(.queue, "florin.dead", .refused(code: 403)),
    ]

    @Test("every event type without a consumer is named, and those that have one are not")
    func unconsumed() {
        for action in [TopologyReport.Action.plan, .apply] {
            let report = TopologyReport(action, types: Self.types, findings: [])
            let lines = report.text.split(separator: "\n").filter { $0.hasPrefix("unconsumed: ") }
            #expect(
                lines == [
                    "unconsumed: ledger.transfer.posted.v2 has no consumer and goes to florin.unconsumed",
                    "unconsumed: risk.alert.raised.v1 has no consumer and goes to florin.unconsumed",
                ])
            #expect(report.text.hasSuffix("2 event types without a consumer"))
            #expect(report.json.contains(#""unconsumed":["ledger.transfer.posted.v2","risk.alert.raised.v1"]"#))
            // It is how things stand, not drift.
            #expect(report.exit == .success)
        }
    }

    @Test("plan names what is missing and what differs, and which bindings it could not compare")
    func plan() {
        let report = TopologyReport(.plan, types: Self.types, findings: Self.drift)
        #expect(report.exit == .failure)
        let text = report.text
        #expect(text.contains("missing: exchange florin.events\n"))
        #expect(text.contains("different: queue ops-risk has x-queue-type classic, wanted quorum\n  a queue can't be changed: "))
        #expect(text.contains("rabbitmqctl delete_queue ops-risk"))
        #expect(text.contains("different: queue florin.dead is refused with 403\n") && text.contains("permissions.json"))
        #expect(text.contains("not compared: binding florin.events → ops-risk by ledger.transfer.*.v1\n"))
        #expect(text.contains("not compared: binding florin.events → notification by identity.message.requested.v1\n"))
        #expect(text.contains("\n1 missing, 2 different; 4 bindings not compared, for AMQP can't ask for them"))
        #expect(TopologyReport(.plan, types: Self.types, findings: []).text.contains("\nno drift; 4 bindings not compared"))
    }

    @Test("apply names what it made and what it could not")
    func apply() {
        let made = [TopologyFinding(.queue, "ops-risk", .missing)]
        let done = TopologyReport(.apply, types: Self.types, made: made, findings: [])
        #expect(done.exit == .success && done.text.hasPrefix("made: queue ops-risk\n"))
        #expect(done.text.contains("\n1 made; everything is in place, bindings included; ") && !done.text.contains("not compared"))
        let left = TopologyReport(.apply, types: Self.types, made: made, findings: Self.drift)
        #expect(left.exit == .failure && left.text.contains("\n1 made; 3 not as they should be; "))
    }

    @Test("JSON says the same, and that it knows nothing of bindings")
    func json() {
        let type = "risk.alert.raised.v1"
        #expect(
            TopologyReport(.plan, types: [type], made: [], findings: Self.drift).json == """
                {"action":"plan","drift":true,"made":[],"missing":[{"subject":"exchange","name":"florin.events"}],\
                "different":[{"subject":"queue","name":"ops-risk","argument":"x-queue-type","wanted":"quorum","found":"classic"},\
                {"subject":"queue","name":"florin.dead","refused":403}],"unconsumed":["\(type)"],"bindings_compared":false,"bindings":[\
                {"exchange":"florin.events","queue":"ops-risk","routing_key":"ledger.transfer.*.v1"},\
                {"exchange":"florin.events","queue":"notification","routing_key":"identity.message.requested.v1"},\
                {"exchange":"florin.events","queue":"florin.unconsumed","routing_key":"\(type)"}]}
                """)
    }

    @Test("settings that can't be used are exit 64 and one line without the password; a broker out of reach is exit 3")
    func exits() async throws {
        func perform(_ environment: [String: String]) async -> (exit: ProcessExit, lines: [String]) {
            var lines: [String] = []
            let exit = await TopologyRun(.plan).perform(environment: environment, print: { lines.append($0) }, reportError: { lines.append($0) })
            return (exit, lines)
        }
        let missing = await perform([:])
        #expect(missing.exit == .usage && missing.lines.count == 1)
        #expect(missing.lines[0].hasPrefix("fleetctl topology plan: RABBITMQ_URL is missing: "))
        let wrong = await perform(["RABBITMQ_URL": "amqp://fleetctl:hunter2@broker:0"])
        #expect(wrong.exit == .usage && wrong.lines.count == 1 && !wrong.lines[0].contains("hunter2"))
        let port = try FreePort.any()
        let away = await perform(["RABBITMQ_URL": "amqp://fleetctl:hunter2@127.0.0.1:\(port)"])
        #expect(away.exit == .unreachable && away.lines.count == 1 && !away.lines[0].contains("hunter2"))
        #expect(away.lines[0].hasPrefix("fleetctl topology plan: cannot reach RabbitMQ at 127.0.0.1:\(port): "))
    }
}
