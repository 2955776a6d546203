import Contracts
import FoundationEssentials
import ServiceRuntime
import StrictJSON

/// What becomes of a transfer's event: it arrives, once in effect, whatever stands in its way.
struct DemoEventSteps: Sendable {
    /// The default of RISK_HIGH_VALUE_THRESHOLDS is 10 000.00 of any currency.
    private static let highValue: Int64 = 12_000_00
    private static let poisonous: Int64 = 11_000_01
    private static let patience = Duration.seconds(30)
    private static let pause = Duration.milliseconds(10)
    private static let payments = 60

    let ledger: DemoService
    let opsRisk: DemoService
    let database: DemoDatabase
    let fleet: DemoFleet
    let report: DemoReport
    let people: DemoPeople

    /// A transfer of high value becomes an alert, and one trace leads from one to the other.
    func alert(_ wallets: DemoWallets) async throws {
        try await fund(wallets)
        let trace = UUID().uuidString.lowercased().replacing("-", with: "")
        var alert: JSONValue = .null
        try await report.step("a transfer of 12 000.00 EUR becomes an alert: ledger, outbox, relay, RabbitMQ, ops-risk") { step in
            let answer = try await transfer(Self.highValue, wallets, traceparent: "00-\(trace)-00f067aa0ba902b7-01")
            let posted = ContinuousClock.now
            try step.expect(answer, status: 201)
            let found = try await self.alert(of: try step.string("id", of: answer), wallets, step)
            alert = found
            return "\(found["id"]?.stringValue ?? ""), \(Self.milliseconds(since: posted)) ms after the answer"
        }
        let id = alert["id"]?.stringValue ?? ""
        try await report.step("one trace leads from the request to the alert's own event") { step in
            let traceparent = try await database.trace(ofAlert: id) ?? "none"
            try step.expect("trace", trace, traceparent.split(separator: "-").dropFirst().first.map(String.init) ?? "none")
            return trace
        }
        try await report.step("an operator resolves the alert, once") { step in
            let answer = try await opsRisk.call(
                people.riskStaff, "POST", "/v1/risk/alerts/\(id)/resolve", key: DemoKey.fresh(),
                body: ResolveRiskAlertRequest(resolution: .falsePositive, note: "the demo").wireBytes())
            try step.expect(answer, status: 200)
            return try step.string("resolution", of: answer)
        }
    }

    /// An event that can't be applied is retried, kept, and replayed once the cause is mended.
    func poison(_ wallets: DemoWallets) async throws {
        // Left by a demo that was ended in this step.
        try await database.mendAlerts()
        try await database.breakAlerts(of: Self.poisonous)
        var transfer = ""
        do {
            try await report.step("an event that ops-risk can't apply is tried again, and then waits as a dead letter") { step in
                let answer = try await self.transfer(Self.poisonous, wallets)
                try step.expect(answer, status: 201)
                transfer = try step.string("id", of: answer)
                let event = try await event(of: transfer, step)
                var listed: JSONValue?
                try await within(Self.patience, step, "a dead letter") {
                    let outcome = try await fleet.run("ops-risk", ["list-dead-letters", "--event-id", event.description, "--json"])
                    listed = Self.objects(in: outcome.output).first { $0["event_id"]?.stringValue == event.description }
                    return listed != nil
                }
                return "\(event), \(listed?["attempts"]?.integerValue ?? 0) attempts, \(listed?["reason"]?.stringValue ?? "")"
            }
            try await report.step("those behind it went on: another transfer's event is applied") { step in
                let answer = try await self.transfer(1, wallets)
                try step.expect(answer, status: 201)
                let event = try await event(of: try step.string("id", of: answer), step)
                try await within(Self.patience, step, "the event applied") { try await database.applied([event]) == 1 }
                return nil
            }
        } catch {
            try? await database.mendAlerts()
            throw error
        }
        try await database.mendAlerts()
        let id = transfer
        try await report.step("the cause mended, an SRE replays it with ops-risk replay-dead-letters, and it becomes an alert") { step in
            let event = try await event(of: id, step)
            let replay = ["replay-dead-letters", "--event-id", event.description, "--requested-by", "demo", "--json"]
            let outcome = try await fleet.run("ops-risk", replay + ["--note", "demo"])
            guard outcome.exitCode == 0 else { throw DemoFailure(step: step.title, expected: "exit 0", got: outcome.output) }
            let found = try await alert(of: id, wallets, step)
            let again = try await fleet.run("ops-risk", replay)
            try step.expect("a second replay", 0, again.exitCode ?? -1)
            return found["id"]?.stringValue
        }
    }

    /// The broker dies while money moves.
    func brokerOutage(_ wallets: DemoWallets) async throws {
        try await report.step(
            "RabbitMQ is killed and started again while \(Self.payments) transfers are made: all are posted, every event is applied"
        ) { step in
            var transfers: [String] = []
            for number in 0..<Self.payments {
                if number == Self.payments / 3 {
                    guard fleet.killBroker() else { throw UnreachableDependency("RabbitMQ", reason: "it does not run") }
                }
                let answer = try await transfer(1, wallets)
                try step.expect(answer, status: 201)
                transfers.append(try step.string("id", of: answer))
            }
            let ended = ContinuousClock.now
            let events = try await database.events(of: transfers)
            try step.expect("events in the outbox", transfers.count, events.count)
            try await within(.seconds(90), step, "\(events.count) events applied") { try await database.applied(events) == events.count }
            return "\(events.count) of \(events.count), the last \(Self.milliseconds(since: ended)) ms after the last transfer"
        }
    }

    private func fund(_ wallets: DemoWallets) async throws {
        try await report.step("a deposit of 30 000.00 EUR") { step in
            let answer = try await ledger.call(
                people.client, "POST", "/v1/deposits", key: DemoKey.fresh(), body: DemoBodies.deposit(to: wallets.first, amount: 30_000_00))
            try step.expect(answer, status: 201)
            return nil
        }
    }

    private func transfer(_ amount: Int64, _ wallets: DemoWallets, traceparent: String? = nil) async throws -> DemoAnswer {
        try await ledger.call(
            people.first, "POST", "/v1/transfers", key: DemoKey.fresh(),
            body: DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: amount), traceparent: traceparent)
    }

    private func event(of transfer: String, _ step: DemoStep) async throws -> EventID {
        let events = try await database.events(of: [transfer])
        guard let event = events.first else { throw DemoFailure(step: step.title, expected: "an event in the outbox", got: "none") }
        return event
    }

    /// Waits for the alert of a transfer.
    private func alert(of transfer: String, _ wallets: DemoWallets, _ step: DemoStep) async throws -> JSONValue {
        var found: JSONValue?
        try await within(Self.patience, step, "an alert of \(transfer)") {
            let answer = try await opsRisk.call(people.riskStaff, "GET", "/v1/risk/alerts?wallet_id=\(wallets.first)")
            try step.expect(answer, status: 200)
            found = answer.json["data"]?.arrayValue?.first {
                $0["transfer_id"]?.stringValue == transfer && $0["rule"]?.stringValue == RiskRule.highValue.rawValue
            }
            return found != nil
        }
        return found ?? .null
    }

    private func within(_ limit: Duration, _ step: DemoStep, _ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                throw DemoFailure(step: step.title, expected: what, got: "none within \(limit.components.seconds) s")
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private static func objects(in output: String) -> [JSONValue] {
        output.split(whereSeparator: \.isNewline).compactMap { try? JSONParser.parse(Array($0.utf8)) }
    }

    private static func milliseconds(since instant: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - instant).components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
