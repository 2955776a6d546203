import Contracts
import Foundation
import Logging
import Outbox
import Postgres
import TestSupport

@testable import OpsRisk

/// A database of ops-risk and what judges on it, without HTTP and without a broker.
struct RiskFixture {
    static let migrations =
        ["outbox", "consumption"].map { MigrationFolder(namespace: $0, path: RepositoryRoot.path("migrations/shared/\($0)")) }
        + [MigrationFolder(namespace: OpsRisk.name, path: RepositoryRoot.path("migrations/ops-risk"))]

    let database: TestDatabase
    let pool: PostgresPool
    let judge: JudgeDebits

    /// - Parameter isPooled: Through PgBouncer in transaction mode, where each transaction may meet another server connection.
    init(rules: RiskRules = RiskSamples.rules, isPooled: Bool = false) async throws {
        database = try await PostgresServer.shared().makeDatabase(service: OpsRisk.name, migrations: Self.migrations)
        let url = isPooled ? try await database.server.pooler().url(database.servingURL, server: database.server) : database.servingURL
        // All suites at once make a slow machine: a test fails for what it tests, not for waiting its turn.
        pool = PostgresPool(
            configuration: try PostgresConfiguration(url: url), options: PoolOptions(acquireTimeout: .seconds(30)))
        judge = JudgeDebits(rules: rules, metrics: nil, now: { RiskSamples.time(1_000) })
    }

    /// One batch of a consumer.
    func apply(_ debits: [CustomerDebit], traceparent: String? = nil) async throws {
        let judge = judge
        try await pool.withTransaction { session in
            try judge(debits.map { ObservedDebit(debit: $0, traceparent: traceparent) }, session)
        }
    }

    /// All alerts, the latest first.
    func alerts() async throws -> [RiskAlert] {
        try await pool.withSession { session in
            try AlertStore().latest(session, status: nil, wallet: nil, before: nil, limit: 100_000)
        }
    }

    func matters() async throws -> [AlertMatter] {
        let rows = try await query("SELECT rule, transfer_id, wallet_id, window_start FROM risk_alerts") { row in
            try row.decode(Int16.self, UUID.self, UUID.self, PostgresTimestamp?.self)
        }
        return rows.map { rule, transfer, wallet, start in
            rule == RiskRule.highValue.stored
                ? AlertMatter(rule: .highValue, about: "\(TransferID(transfer))")
                : AlertMatter(rule: .velocity, about: "\(WalletID(wallet)) \(start.map { "\(Timestamp($0))" } ?? "-")")
        }
    }

    /// What the outbox says, oldest first.
    func events() async throws -> [(type: String, subject: String, partitionKey: String, traceparent: String?, data: String)] {
        try await query("SELECT type, subject, partition_key, traceparent, data FROM outbox_events ORDER BY id") { row in
            try row.decode(String.self, String.self, String.self, String?.self, String.self)
        }
    }

    func count(_ table: String) async throws -> Int64 {
        try await query("SELECT count(*) FROM \(table)") { row in try row.decode(Int64.self) }[0]
    }

    /// Runs a query as superuser.
    func query<Value: Sendable>(_ sql: String, _ decode: @Sendable (PostgresRow) throws -> Value) async throws -> [Value] {
        try await connected(database.superuserURL) { session in try session.query(PostgresQuery(unsafeSQL: sql)).map(decode) }
    }

    /// Runs one statement under another role.
    func execute(_ sql: String, as url: String) async throws {
        try await connected(url) { session in _ = try session.execute(PostgresQuery(unsafeSQL: sql)) }
    }

    private func connected<Value: Sendable>(_ url: String, _ body: @Sendable (PostgresSession) throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        do {
            let value = try await connection.withSession(body)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}
