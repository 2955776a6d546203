import ServiceClient
import ServiceRuntime

/// The demo: what the fleet promises, shown on the one that is up.
struct DemoJourney: Sendable {
    /// A machine that builds beside the demo is slow to accept.
    private static let connectLimit = Duration.seconds(5)

    let settings: DemoSettings
    let report: DemoReport
    /// Seconds since the Unix epoch.
    let now: Int64

    /// - Throws: ``DemoFailure`` at the first step that goes otherwise, ``UnreachableDependency`` when something of the fleet does not answer,
    ///   ``InvalidConfiguration`` when the demo cannot start.
    func run() async throws {
        let database = try DemoDatabase(settings)
        let people = try await people()
        let connections = ServiceConnections(connectTimeout: Self.connectLimit)
        do {
            try await run(people, database, DemoService(name: "wallet-ledger", address: settings.ledger, connections: connections))
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
    }

    private func people() async throws(InvalidConfiguration) -> DemoPeople {
        do {
            return try await DemoPeople(settings, now: now)
        } catch {
            throw InvalidConfiguration(key: "FLORIN_KEYS_DIRECTORY or FLORIN_ISSUER_DIRECTORY", "\(error)")
        }
    }

    private func run(_ people: DemoPeople, _ database: DemoDatabase, _ ledger: DemoService) async throws {
        let money = DemoMoneySteps(ledger: ledger, report: report, people: people)
        let wallets = try await money.open()
        let transfer = try await money.transfer(wallets)
        try await money.limits(wallets, transfer: transfer)
        try await DemoSignatureSteps(ledger: ledger, report: report, people: people)(wallets)
        try await money.freeze(wallets)
        let holds = DemoHoldSteps(ledger: ledger, report: report, people: people)
        try await holds.hold(wallets)
        try await holds.batch(wallets)
        let opsRisk = DemoService(name: "ops-risk", address: settings.opsRisk, connections: ledger.connections)
        let events = DemoEventSteps(
            ledger: ledger, opsRisk: opsRisk, database: database, fleet: DemoFleet(settings), report: report, people: people)
        try await events.alert(wallets)
        try await events.poison(wallets)
        try await events.brokerOutage(wallets)
        let identity = DemoService(name: "identity", address: settings.identity, connections: ledger.connections)
        try await DemoIdentitySteps(identity: identity, fleet: DemoFleet(settings), report: report, signer: people.identitySigner)()
        try await DemoIsolationSteps(settings: settings, report: report)()
    }
}
