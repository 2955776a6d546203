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
        let alert = try await report.find(
            "a transfer of 12 000.00 EUR becomes an alert: ledger, outbox, relay, RabbitMQ, ops-risk"
        ) { step -> (found: AlertID, shown: String?) in
            let transfer = try await transfer(Self.highValue, wallets, step, traceparent: "00-\(trace)-00f067aa0ba902b7-01")
            let posted = ContinuousClock.now
            let alert = try await self.alert(of: transfer, wallets, step)
            return (alert.id, "\(alert.id), \(Self.milliseconds(since: posted)) ms after the answer")
        }
        try await report.step("one trace leads from the request to the alert's own event") { step in
            let traceparent = try await database.trace(ofAlert: alert) ?? "none"
            try step.expect("trace", trace, traceparent.split(separator: "-").dropFirst().first.map(String.init) ?? "none")
            return trace
        }
        try await report.step("an operator resolves the alert, once") { step in
            let answer = try await opsRisk.call(
                people.riskStaff, "POST", "/v1/risk/alerts/\(alert)/resolve", key: DemoKey.fresh(),
                body: ResolveRiskAlertRequest(resolution: .falsePositive, note: "the demo"))
            return try step.read(answer, status: 200, as: RiskAlertBody.self).resolution?.resolution.rawValue
        }
    }

    /// An event that can't be applied is retried, kept, and replayed once the cause is mended.
    func poison(_ wallets: DemoWallets) async throws {
        // Left by a demo that was ended in this step.
        try await database.mendAlerts()
        try await database.breakAlerts(of: Self.poisonous)
        let poisoned: TransferID
        do {
            poisoned = try await report.find(
                "an event that ops-risk can't apply is tried again, and then waits as a dead letter"
            ) { step -> (found: TransferID, shown: String?) in
                let transfer = try await self.transfer(Self.poisonous, wallets, step)
                let event = try await event(of: transfer, step)
                var listed: JSONValue?
                try await within(Self.patience, step, "a dead letter") {
                    let outcome = try await fleet.run("ops-risk", ["list-dead-letters", "--event-id", event.description, "--json"])
                    listed = Self.objects(in: outcome.output).first { $0["event_id"]?.stringValue == event.description }
                    return listed != nil
                }
                let attempts = listed?["attempts"]?.integerValue ?? 0
                return (transfer, "\(event), \(attempts) attempts, \(listed?["reason"]?.stringValue ?? "")")
            }
            try await report.step("those behind it went on: another transfer's event is applied") { step in
                let event = try await event(of: try await self.transfer(1, wallets, step), step)
                try await within(Self.patience, step, "the event applied") { try await database.applied([event]) == 1 }
                return nil
            }
        } catch {
            try? await database.mendAlerts()
            throw error
        }
        try await database.mendAlerts()
        try await report.step("the cause mended, an SRE replays it with ops-risk replay-dead-letters, and it becomes an alert") { step in
            let event = try await event(of: poisoned, step)
            let replay = ["replay-dead-letters", "--event-id", event.description, "--requested-by", "demo", "--json"]
            let outcome = try await fleet.run("ops-risk", replay + ["--note", "demo"])
            guard outcome.exitCode == 0 else { throw DemoFailure(step: step.title, expected: "exit 0", got: outcome.output) }
            let found = try await alert(of: poisoned, wallets, step)
            let again = try await fleet.run("ops-risk", replay)
            try step.expect("a second replay", 1, again.exitCode ?? -1)
            return found.id.description
        }
    }

    /// The broker dies while money moves.
    func brokerOutage(_ wallets: DemoWallets) async throws {
        try await report.step(
            "RabbitMQ is killed and started again while \(Self.payments) transfers are made: all are posted, every event is applied"
        ) { step in
            var transfers: [TransferID] = []
            for number in 0..<Self.payments {
                if number == Self.payments / 3 {
                    guard fleet.killBroker() else { throw UnreachableDependency("RabbitMQ", reason: "it does not run") }
                }
                transfers.append(try await transfer(1, wallets, step))
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
                people.client, "POST", "/v1/deposits", key: DemoKey.fresh(), body: FundingRequest(walletID: wallets.first, money: .euros(30_000_00)))
            try step.expect(answer, status: 201)
            return nil
        }
    }

    private func transfer(
        _ cents: Int64, _ wallets: DemoWallets, _ step: DemoStep, traceparent: String? = nil
    ) async throws -> TransferID {
        let answer = try await ledger.call(
            people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: wallets.transfer(cents), traceparent: traceparent)
        return try step.read(answer, status: 201, as: TransferBody.self).id
    }

    private func event(of transfer: TransferID, _ step: DemoStep) async throws -> EventID {
        let events = try await database.events(of: [transfer])
        guard let event = events.first else { throw DemoFailure(step: step.title, expected: "an event in the outbox", got: "none") }
        return event
    }

    /// Waits for the alert of a transfer.
    private func alert(of transfer: TransferID, _ wallets: DemoWallets, _ step: DemoStep) async throws -> RiskAlertBody {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let answer = try await opsRisk.call(people.riskStaff, "GET", "/v1/risk/alerts?wallet_id=\(wallets.first)")
            let page = try step.read(answer, status: 200, as: PageBody<RiskAlertBody>.self)
            let found = page.items.first { $0.transferID == transfer && $0.finding.rule == .highValue }
            if let found { return found }
            try await pause(until: deadline, step, "an alert of \(transfer)", Self.patience)
        }
    }

    private func within(_ limit: Duration, _ step: DemoStep, _ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !condition() { try await pause(until: deadline, step, what, limit) }
    }

    private func pause(until deadline: ContinuousClock.Instant, _ step: DemoStep, _ what: String, _ limit: Duration) async throws {
        guard ContinuousClock.now < deadline else {
            throw DemoFailure(step: step.title, expected: what, got: "none within \(limit.components.seconds) s")
        }
        try await Task.sleep(for: Self.pause)
    }

    private static func objects(in output: String) -> [JSONValue] {
        output.split(whereSeparator: \.isNewline).compactMap { try? JSONParser.parse(Array($0.utf8)) }
    }

    private static func milliseconds(since instant: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - instant).components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
