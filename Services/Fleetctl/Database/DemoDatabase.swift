import Contracts
import FoundationEssentials
import Postgres
package import ServiceRuntime

/// What the demo looks up in the fleet's databases, and breaks in one of them for a moment.
///
/// Every question throws ``UnreachableDependency`` when the database cannot be used, and `PostgresError` otherwise.
package struct DemoDatabase: Sendable {
    private static let constraint = "demo_outage"

    private let ledger: PostgresConfiguration
    private let opsRisk: PostgresConfiguration
    private let opsRiskOwner: PostgresConfiguration

    /// - Throws: When one of the URLs can't be used.
    package init(_ settings: DemoSettings) throws(InvalidConfiguration) {
        func configuration(_ url: String) throws(InvalidConfiguration) -> PostgresConfiguration {
            do {
                return try PostgresConfiguration(url: url, applicationName: "fleetctl demo")
            } catch {
                throw InvalidConfiguration(key: "FLORIN_DATABASES_FILE", "\(error)")
            }
        }
        ledger = try configuration(settings.ledgerDatabaseURL)
        opsRisk = try configuration(settings.foreignDatabaseURL)
        opsRiskOwner = try configuration(settings.opsRiskOwnerDatabaseURL)
    }

    /// The events of transfers, by the outbox of the ledger.
    func events(of transfers: [TransferID]) async throws -> [EventID] {
        try await session(ledger) { session in
            try session.query("SELECT event_id FROM outbox_events WHERE subject = ANY(\(transfers.map(\.description)))").map { row in
                EventID(try row.decode(UUID.self))
            }
        }
    }

    /// The trace of the event by which ops-risk told of an alert.
    func trace(ofAlert id: AlertID) async throws -> String? {
        // The serving role writes events and never reads one.
        try await session(opsRiskOwner) { session in
            try session.query("SELECT traceparent FROM outbox_events WHERE subject = \(id.description)").first?.decode(String?.self)
        }
    }

    /// How many of these events ops-risk has applied.
    func applied(_ events: [EventID]) async throws -> Int {
        try await session(opsRisk) { session in
            Int(
                try session.query("SELECT count(*) FROM processed_events WHERE consumer = 'ops-risk' AND event_id = ANY(\(events.map(\.uuid)))")[0]
                    .decode(Int64.self))
        }
    }

    /// Makes ops-risk fail over alerts of this amount, as a bad migration would.
    func breakAlerts(of amount: Int64) async throws {
        try await owner(
            "ALTER TABLE risk_alerts ADD CONSTRAINT \(Self.constraint) CHECK (amount <> \(amount)) NOT VALID")
    }

    package func mendAlerts() async throws { try await owner("ALTER TABLE risk_alerts DROP CONSTRAINT IF EXISTS \(Self.constraint)") }

    private func owner(_ statement: String) async throws {
        try await session(opsRiskOwner) { session in try session.execute(PostgresQuery(unsafeSQL: statement)) }
    }

    @discardableResult
    private func session<Value: Sendable>(
        _ database: PostgresConfiguration, _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> Value {
        do {
            let connection = try await PostgresConnection.connect(database)
            let value = try await connection.withSession(body)
            await connection.close()
            return value
        } catch let error as PostgresError where error.isOutage {
            throw UnreachableDependency("Postgres at \(database.host):\(database.port)", reason: "\(error)")
        }
    }
}
