import Fleetctl
import Testing

/// `service code other` of each finding, sorted; what is asserted is which violations are named, the words are for people.
func summaries(_ findings: [FleetFinding]) -> [String] {
    findings.map { "\($0.service ?? "-") \($0.code.name) \($0.other ?? "-")" }.sorted()
}

@Suite("Isolation: one process's environment")
struct IsolationEnvironmentTests {
    private static let ledger = "postgres://wallet_ledger:s3cret@db/wallet_ledger"
    private static let ledgerReplica = "postgres://wallet_ledger:s3cret@standby/wallet_ledger"
    private static let identity = "postgres://identity:s3cret@db/identity"
    private static let backoffice = "postgres://backoffice:s3cret@db/backoffice"

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let environment: [String: String]
        var service: String?
        let expected: [String]

        init(_ description: String, _ environment: [String: String], service: String? = nil, _ expected: [String]) {
            testDescription = description
            self.environment = environment
            self.service = service
            self.expected = expected
        }
    }

    static let cases = [
        Case("its own variable alone", ["LEDGER_DATABASE_URL": ledger, "PATH": "/bin"], []),
        Case(
            "a generic variable", ["LEDGER_DATABASE_URL": ledger, "DATABASE_URL": ledger], ["wallet-ledger generic_variable -"]),
        Case(
            "a connection variable", ["LEDGER_DATABASE_URL": ledger, "PGHOST": "db"], ["wallet-ledger connection_variable -"]),
        Case(
            "another service's variable", ["LEDGER_DATABASE_URL": ledger, "IDENTITY_DATABASE_URL": identity], service: "wallet-ledger",
            ["wallet-ledger foreign_variable identity"]),
        Case("with its replica", ["LEDGER_DATABASE_URL": ledger, "LEDGER_REPLICA_DATABASE_URL": ledgerReplica], []),
        Case(
            "the ledger's replica elsewhere", ["IDENTITY_DATABASE_URL": identity, "LEDGER_REPLICA_DATABASE_URL": ledgerReplica],
            service: "identity", ["identity foreign_variable wallet-ledger"]),
        Case("a replica that is nobody's", ["LEDGER_REPLICA_DATABASE_URL": ledgerReplica], ["- foreign_variable wallet-ledger"]),
        Case(
            "a replica and no database", ["LEDGER_REPLICA_DATABASE_URL": ledgerReplica], service: "wallet-ledger",
            ["wallet-ledger own_variable_missing -"]),
        Case(
            "a replica that is no URL", ["LEDGER_DATABASE_URL": ledger, "LEDGER_REPLICA_DATABASE_URL": "db/s3cret"],
            ["wallet-ledger invalid_url -"]),
        Case(
            "several and nobody said whose: each is foreign", ["LEDGER_DATABASE_URL": ledger, "IDENTITY_DATABASE_URL": identity],
            ["- foreign_variable identity", "- foreign_variable wallet-ledger"]),
        Case("the own one missing", ["PATH": "/bin"], service: "identity", ["identity own_variable_missing -"]),
        Case("the own one empty", ["IDENTITY_DATABASE_URL": ""], service: "identity", ["identity own_variable_missing -"]),
        Case("a generic one and no own", ["DATABASE_URL": ledger], ["- generic_variable -"]),
        Case(
            "not strict, in production by default", ["LEDGER_DATABASE_URL": ledger, "DATABASE_ISOLATION_MODE": "warn"],
            ["wallet-ledger isolation_not_strict -"]),
        Case(
            "not strict, locally",
            ["LEDGER_DATABASE_URL": ledger, "DATABASE_ISOLATION_MODE": "warn", "FLORIN_ENVIRONMENT": "local"], []),
        Case(
            "the owner's role", ["LEDGER_DATABASE_URL": "postgres://wallet_ledger_owner:s3cret@db/wallet_ledger"],
            ["wallet-ledger owner_role_in_serve -"]),
        Case("several hosts and ports", ["LEDGER_DATABASE_URL": "postgres://l:s3cret@a:1,b:2/x"], ["wallet-ledger invalid_url -"]),
        Case("no URL", ["LEDGER_DATABASE_URL": "db/s3cret"], ["wallet-ledger invalid_url -"]),
        Case(
            "a parameter that could lead elsewhere", ["LEDGER_DATABASE_URL": ledger + "?hostaddr=10.0.0.1"], ["wallet-ledger invalid_url -"]),
        Case(
            "backoffice's database, said by name",
            ["AUDIT_EXPORT_DATABASE_SHARED_WITH": "backoffice", "BACKOFFICE_DATABASE_URL": backoffice], []),
        Case(
            "another's database, said by name",
            ["AUDIT_EXPORT_DATABASE_SHARED_WITH": "identity", "IDENTITY_DATABASE_URL": identity], service: "audit-export",
            ["audit-export foreign_variable identity", "audit-export own_variable_missing -"]),
    ]

    @Test("each violation is named, and what is allowed is not", arguments: cases)
    func findings(_ example: Case) {
        let check = IsolationCheck(EnvironmentReader.process(example.environment, service: example.service))
        #expect(summaries(check.findings) == example.expected)
        #expect(check.findings.allSatisfy { !$0.detail.contains("s3cret") })
    }

    @Test("an environment without any database variable holds nothing to check")
    func nothing() {
        #expect(EnvironmentReader.process(["PATH": "/bin"], service: nil).isEmpty)
    }
}
