import AsyncHTTPClient

/// The demo: what the fleet promises, shown on the one that is up.
struct DemoJourney: Sendable {
    let settings: DemoSettings
    let report: DemoReport
    /// Seconds since the Unix epoch.
    let now: Int64

    /// - Throws: ``DemoFailure`` at the first step that goes otherwise, or what keeps the demo from starting.
    func run() async throws {
        let people = try await DemoPeople(settings, now: now)
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        do {
            try await run(people, DemoService(address: settings.ledger, client: client))
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private func run(_ people: DemoPeople, _ ledger: DemoService) async throws {
        let money = DemoMoneySteps(ledger: ledger, report: report, people: people)
        let wallets = try await money.open()
        let transfer = try await money.transfer(wallets)
        try await money.limits(wallets, transfer: transfer)
        try await DemoSignatureSteps(ledger: ledger, report: report, people: people)(wallets)
        try await money.freeze(wallets)
        let holds = DemoHoldSteps(ledger: ledger, report: report, people: people)
        try await holds.hold(wallets)
        try await holds.batch(wallets)
        let database = DemoDatabase(settings)
        let events = DemoEventSteps(
            ledger: ledger, opsRisk: DemoService(address: settings.opsRisk, client: ledger.client), database: database,
            fleet: DemoFleet(settings), report: report, people: people)
        try await events.alert(wallets)
        try await events.poison(wallets)
        try await events.brokerOutage(wallets)
        try await DemoIsolationSteps(settings: settings, report: report)()
    }
}
