import Contracts
import Postgres
import TestSupport
import Testing

@testable import OpsRisk

@Suite("What the database itself holds up")
struct DatabaseRuleTests {
    struct Violation: Sendable, CustomTestStringConvertible {
        let sql: String
        let state: SQLState
        var constraint: String?
        var testDescription: String { sql }
    }

    /// `O` is an open alert of a high value, `R` one that is resolved, `V` an open one of velocity.
    private static let database = Task {
        let fixture = try await RiskFixture()
        let wallet = RiskSamples.newWallet()
        try await fixture.apply([RiskSamples.debit(wallet, at: 0, 1_000_000), RiskSamples.debit(wallet, at: 0, 1_000_001)])
        try await fixture.apply((1...4).map { RiskSamples.debit(RiskSamples.newWallet(), at: Double($0)) })
        let busy = RiskSamples.newWallet()
        try await fixture.apply((1...4).map { RiskSamples.debit(busy, at: Double($0)) })
        let alerts = try await fixture.alerts()
        let high = alerts.filter { $0.finding.rule == .highValue }
        guard high.count == 2, let velocity = alerts.first(where: { $0.finding.rule == .velocity }) else { throw UnreadableRow(table: "risk_alerts") }
        try await fixture.execute(
            """
            UPDATE risk_alerts SET resolution = 1, resolved_by = 'usr', resolved_through = 'backoffice', resolved_at = raised_at
            WHERE id = '\(high[1].id.uuid)'
            """, as: fixture.database.servingURL)
        return (fixture: fixture, names: ["'O'": high[0].id.uuid, "'R'": high[1].id.uuid, "'V'": velocity.id.uuid])
    }

    private static let resolved = "resolution = 2, resolved_by = 'x', resolved_through = 'x', resolved_at = raised_at"
    private static let copied = """
        INSERT INTO risk_alerts (id, rule, wallet_id, transfer_id, amount, currency, occurred_at, raised_at, threshold, debit_count, debit_limit,
            window_seconds, window_start)
        SELECT gen_random_uuid(), rule, wallet_id, TRANSFER, amount, currency, occurred_at, raised_at, threshold, COUNT, debit_limit,
            window_seconds, window_start FROM risk_alerts WHERE id =
        """

    private static func copy(_ alert: String, transfer: String = "gen_random_uuid()", count: String = "debit_count") -> String {
        copied.replacing("TRANSFER", with: transfer).replacing("COUNT", with: count) + " '\(alert)'"
    }

    static let violations = [
        Violation(
            sql: "UPDATE risk_alerts SET \(resolved) WHERE id = 'R'", state: .integrityConstraintViolation, constraint: "risk_alerts_resolved_once"),
        Violation(
            sql: "UPDATE risk_alerts SET resolution = NULL, resolved_by = NULL, resolved_through = NULL, resolved_at = NULL WHERE id = 'R'",
            state: .integrityConstraintViolation, constraint: "risk_alerts_resolved_once"),
        Violation(
            sql: "UPDATE risk_alerts SET note = 'n' WHERE id = 'R'", state: .integrityConstraintViolation, constraint: "risk_alerts_resolved_once"),
        Violation(sql: "UPDATE risk_alerts SET note = 'n' WHERE id = 'O'", state: .checkViolation, constraint: "risk_alerts_resolution"),
        Violation(sql: "UPDATE risk_alerts SET resolution = 1 WHERE id = 'O'", state: .checkViolation, constraint: "risk_alerts_resolution"),
        Violation(
            sql:
                "UPDATE risk_alerts SET resolution = 1, resolved_by = 'x', resolved_through = 'x', resolved_at = raised_at - interval '1 s' WHERE id = 'O'",
            state: .checkViolation, constraint: "risk_alerts_resolution"),
        Violation(sql: "UPDATE risk_alerts SET amount = 1 WHERE id = 'O'", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM risk_alerts WHERE id = 'O'", state: .insufficientPrivilege),
        Violation(sql: "TRUNCATE risk_alerts", state: .insufficientPrivilege),
        Violation(
            sql: copy("O", transfer: "transfer_id"), state: .uniqueViolation, constraint: "risk_alerts_once"),
        Violation(sql: copy("V"), state: .uniqueViolation, constraint: "risk_alerts_one_per_window"),
        Violation(sql: copy("V", count: "debit_limit"), state: .checkViolation, constraint: "risk_alerts_finding"),
        Violation(sql: copy("O", count: "4"), state: .checkViolation, constraint: "risk_alerts_finding"),
        Violation(
            sql: "INSERT INTO risk_alerts (id, resolution, resolved_by, resolved_through, resolved_at) VALUES ('O', 1, 'x', 'x', now())",
            state: .insufficientPrivilege),
        Violation(sql: "UPDATE customer_debits SET amount = 1", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM customer_debits", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM idempotency_keys", state: .insufficientPrivilege),
        Violation(sql: "UPDATE idempotency_keys SET request = ''", state: .insufficientPrivilege),
        Violation(sql: "SELECT FROM outbox_events", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM outbox_events", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM processed_events", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM dead_letter_events", state: .insufficientPrivilege),
        Violation(sql: "SELECT prune_outbox(interval '1 day', 1)", state: .insufficientPrivilege),
        Violation(sql: "ALTER TABLE risk_alerts DISABLE TRIGGER USER", state: .insufficientPrivilege),
        Violation(sql: "SET session_replication_role = replica", state: .insufficientPrivilege),
        Violation(sql: "CREATE TABLE public.mine (id int)", state: .insufficientPrivilege),
    ]

    private func filled(_ sql: String, _ names: [String: some Any]) -> String {
        names.reduce(sql) { $0.replacing($1.key, with: "'\($1.value)'::uuid") }
    }

    @Test("the serving role can't do what its code never does", arguments: violations)
    func serving(_ violation: Violation) async throws {
        let (fixture, names) = try await Self.database.value
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.execute(filled(violation.sql, names), as: fixture.database.servingURL)
        }
        #expect(error?.sqlState == violation.state)
        if let constraint = violation.constraint { #expect(error?.constraintName == constraint) }
    }

    @Test(
        "not even the owner reopens, alters or deletes an alert, or writes one that begins resolved",
        arguments: [
            (
                "UPDATE risk_alerts SET resolution = NULL, note = NULL, resolved_by = NULL, resolved_through = NULL, resolved_at = NULL WHERE id = 'R'",
                "risk_alerts_resolved_once"
            ),
            ("UPDATE risk_alerts SET amount = amount + 1 WHERE id = 'O'", "risk_alerts_finding_kept"),
            ("UPDATE risk_alerts SET window_start = window_start + interval '1 s' WHERE id = 'V'", "risk_alerts_finding_kept"),
            (
                copied.replacing("window_start)", with: "window_start, resolution, resolved_by, resolved_through, resolved_at)")
                    .replacing("TRANSFER", with: "gen_random_uuid()").replacing("COUNT", with: "debit_count")
                    .replacing("window_start FROM", with: "window_start, 1, 'x', 'x', raised_at FROM") + " 'O'", "risk_alerts_begin_open"
            ),
            ("DELETE FROM risk_alerts", nil), ("TRUNCATE risk_alerts", nil), ("UPDATE customer_debits SET amount = 1", nil),
            ("TRUNCATE customer_debits", nil), ("DELETE FROM idempotency_keys", nil), ("UPDATE idempotency_keys SET request = ''", nil),
        ] as [(String, String?)])
    func owner(sql: String, constraint: String?) async throws {
        let (fixture, names) = try await Self.database.value
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.execute(filled(sql, names), as: fixture.database.ownerURL)
        }
        #expect(error?.sqlState == .integrityConstraintViolation)
        if let constraint { #expect(error?.constraintName == constraint) }
    }

    @Test(
        "the relay sees the outbox and nothing else",
        arguments: ["risk_alerts", "customer_debits", "idempotency_keys", "processed_events", "dead_letter_events", "replay_runs"])
    func relay(table: String) async throws {
        let fixture = try await Self.database.value.fixture
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.execute("SELECT FROM \(table)", as: fixture.database.relayURL)
        }
        #expect(error?.sqlState == .insufficientPrivilege)
        for allowed in ["SELECT FROM outbox_events", "SELECT FROM relay_partitions", "SELECT last_value FROM outbox_events_id_seq"] {
            try await fixture.execute(allowed, as: fixture.database.relayURL)
        }
    }
}
