import ServiceClient
import ServiceRuntime

/// The demo: what the fleet promises, shown on the one that is up.
struct DemoJourney: Sendable {
    /// A machine that builds beside the demo is slow to accept.
    private static let connectLimit = Duration.seconds(5)

    let settings: DemoSettings
    let report: DemoReport

    /// - Throws: ``DemoFailure`` at the first step that goes otherwise, ``UnreachableDependency`` when something of the fleet does not answer,
    ///   ``InvalidConfiguration`` when the demo cannot start.
    func run() async throws {
        let (database, keys) = (try DemoDatabase(settings), try DemoKeys(settings))
        let connections = ServiceConnections(connectTimeout: Self.connectLimit)
        do {
            try await run(database, keys, connections)
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
    }

    private func run(_ database: DemoDatabase, _ keys: DemoKeys, _ connections: ServiceConnections) async throws {
        let fleet = DemoFleet(settings)
        let ledger = DemoService(name: "wallet-ledger", address: settings.ledger, connections: connections)
        let opsRisk = DemoService(name: "ops-risk", address: settings.opsRisk, connections: connections)
        let identity = DemoService(name: "identity", address: settings.identity, connections: connections)
        let accounts = DemoAccounts(identity: identity, fleet: fleet, signer: keys.mobileAppsBeforeIdentity)
        let people = try await DemoPeople(accounts, keys, report)
        let money = DemoMoneySteps(ledger: ledger, report: report, people: people)
        let wallets = try await money.open()
        let transfer = try await money.transfer(wallets)
        try await money.limits(wallets, transfer: transfer)
        try await DemoSignatureSteps(ledger: ledger, report: report, people: people)(wallets)
        try await money.freeze(wallets)
        let holds = DemoHoldSteps(ledger: ledger, report: report, people: people)
        try await holds.hold(wallets)
        try await holds.batch(wallets)
        let events = DemoEventSteps(
            ledger: ledger, opsRisk: opsRisk, database: database, fleet: fleet, report: report, people: people)
        try await events.alert(wallets)
        try await events.poison(wallets)
        try await events.brokerOutage(wallets)
        try await DemoIdentitySteps(accounts: accounts, report: report)()
        try await DemoIsolationSteps(settings: settings, report: report)()
    }
}
