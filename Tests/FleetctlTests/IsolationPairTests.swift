import Fleetctl
import Testing

@Suite("Isolation: an operator's overview")
struct IsolationPairTests {
    private func findings(_ lines: [String]) -> [FleetFinding] {
        IsolationCheck(EnvironmentReader.overview(lines.joined(separator: "\n"), place: "fleet.env")).findings
    }

    @Test("a file with every service's own database and role is clean")
    func clean() {
        let services = ["LEDGER": "wallet_ledger", "IDENTITY": "identity", "OPS_RISK": "ops_risk"]
        #expect(findings(services.map { "\($0)_DATABASE_URL=postgres://\($1):p@db.internal/\($1)" }).isEmpty)
    }

    @Test(
        "two ways to write one database are one database",
        arguments: [
            ("db/one", "db/one"), ("db/one", "DB:5432/one"), ("db./one", "db/one"), ("localhost/one", "127.0.0.1:5432/one"),
            ("[::1]/one", "127.0.0.2/one"), ("/one?host=db", "db/one"), ("/one?host=db&port=5432", "db/one"), ("/one?host=a,b", "b/one"),
            ("a/?dbname=one", "a/one"), ("/one?host=/var/run/postgresql", "localhost/one"), ("db/%6fne", "db/one"),
        ])
    func same(one: String, other: String) {
        let found = findings(["LEDGER_DATABASE_URL=postgres://l@\(one)", "IDENTITY_DATABASE_URL=postgresql://i@\(other)"])
        #expect(summaries(found) == ["identity same_database wallet-ledger"])
    }

    @Test(
        "another host, port or database is another database",
        arguments: [("db/one", "db/two"), ("db/one", "db/ONE"), ("db/one", "db:5433/one"), ("db1/one", "db2/one")])
    func different(one: String, other: String) {
        #expect(findings(["LEDGER_DATABASE_URL=postgres://l@\(one)", "IDENTITY_DATABASE_URL=postgres://i@\(other)"]).isEmpty)
    }

    @Test("a read replica is its service's own standby, and no other service's database or role")
    func replica() {
        let ledger = "LEDGER_DATABASE_URL=postgres://wallet_ledger:p@db/wallet_ledger"
        let identity = "IDENTITY_DATABASE_URL=postgres://identity:p@db/identity"
        func found(_ replica: String) -> [String] { summaries(findings([ledger, identity, "LEDGER_REPLICA_DATABASE_URL=postgres://\(replica)"])) }
        #expect(found("wallet_ledger:p@standby/wallet_ledger") == [])
        #expect(found("wallet_ledger:p@db/identity") == ["identity same_database wallet-ledger"])
        #expect(found("identity:p@db/wallet_ledger") == ["identity shared_role wallet-ledger"])
    }

    @Test("one role for two services is named on one server, and is another role on another")
    func role() {
        let ledger = "LEDGER_DATABASE_URL=postgres://app:p@db/ledger"
        #expect(
            summaries(findings([ledger, "IDENTITY_DATABASE_URL=postgres://app:p@db/identity"])) == ["identity shared_role wallet-ledger"])
        #expect(findings([ledger, "IDENTITY_DATABASE_URL=postgres://app:p@db2/identity"]).isEmpty)
    }

    @Test("audit-export may share backoffice's database when it says so, with a role of its own")
    func sharing() {
        let backoffice = "BACKOFFICE_DATABASE_URL=postgres://backoffice:p@db/backoffice"
        let exporter = "AUDIT_EXPORT_DATABASE_URL=postgres://audit_export:p@db/backoffice"
        let said = "AUDIT_EXPORT_DATABASE_SHARED_WITH=backoffice"
        #expect(findings([backoffice, exporter, said]).isEmpty)
        #expect(summaries(findings([backoffice, exporter])) == ["audit-export same_database backoffice"])
        let borrowed = exporter.replacing("audit_export", with: "backoffice")
        #expect(summaries(findings([backoffice, borrowed, said])) == ["audit-export shared_role backoffice"])
    }

    @Test("a service's three roles share its database; one role for two of them is named")
    func roles() {
        func lines(serving: String, relay: String) -> [String] {
            [
                "WALLET_LEDGER_OWNER_URL=postgres://boss:p@db/ledger", "WALLET_LEDGER_SERVING_URL=postgres://\(serving):p@db/ledger",
                "WALLET_LEDGER_RELAY_URL=postgres://\(relay):p@db/ledger",
            ]
        }
        #expect(findings(lines(serving: "wallet_ledger", relay: "wallet_ledger_relay")).isEmpty)
        #expect(summaries(findings(lines(serving: "boss", relay: "other"))) == ["wallet-ledger owner_role_in_serve -"])
        #expect(summaries(findings(lines(serving: "same", relay: "same"))) == ["wallet-ledger shared_role -"])
    }

    @Test("what every process would take is a violation in a file, too")
    func generic() {
        #expect(
            summaries(findings(["PGPASSWORD=s3cret", "DATABASE_URL=postgres://u:s3cret@db/x"])) == [
                "- connection_variable -", "- generic_variable -",
            ])
    }

    @Test(
        "assignments are read as a shell would take them, without expansion",
        arguments: [
            ("A=b=c", "b=c"), ("export A=b", "b"), (" A = b ", "b"), ("A='b # c' # d", "b # c"), ("A=\"b c\"", "b c"), ("A=b # c", "b"),
            ("A=b#c", "b#c"), ("A=", ""), ("# A=b", nil), ("=b", nil), ("A=$B", "$B"),
        ])
    func assignments(line: String, value: String?) {
        #expect(EnvironmentReader.variables(in: line)["A"] == value)
    }
}
