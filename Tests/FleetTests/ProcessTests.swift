import Foundation
import Postgres
import RequestSigning
import TestSupport
import Testing

@Suite("The executable, from outside")
struct ProcessTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder("process")
        _ = try LedgerFleet.writeCredentials(to: folder.path)
    }

    private func environment(_ changes: [String: String?] = [:]) -> [String: String] {
        var environment = LedgerFleet.environment(
            "postgres://nobody:hunter2@127.0.0.1:1/none", folder.path, port: 1, admin: 2)
        for (name, value) in changes { environment[name] = value }
        return environment
    }

    @Test(
        "what it can't start with is one line that names it, exit 64",
        arguments: [
            (["LEDGER_BATCH_LIMIT": "0"], "LEDGER_BATCH_LIMIT"), (["LEDGER_DATABASE_URL": nil], "LEDGER_DATABASE_URL"),
            (["REPLAY_WINDOW": nil], "REDIS_URL is missing: REPLAY_WINDOW=redis needs it"),
            (["REPLAY_WINDOW": "redis", "REDIS_URL": "redis://:hunter2@"], "REDIS_URL: can't be used: the Redis URL has no host"),
            (["FLORIN_ENVIRONMENT": "production", "INTERNAL_TLS": "mesh"], "REPLAY_WINDOW=in-process is refused in production"),
            (["DATABASE_URL": "postgres://x/y"], "DATABASE_URL"), (["IDENTITY_DATABASE_URL": "postgres://x/y"], "IDENTITY_DATABASE_URL"),
            (["LEDGER_REPLICA_DATABASE_URL": "standby:5432/hunter2"], "LEDGER_REPLICA_DATABASE_URL"),
            (["PGHOST": "elsewhere"], "PGHOST"), (["HTTP_PORT": "http"], "HTTP_PORT"),
            (["INTERNAL_TLS": "own"], "INTERNAL_TLS_CERTIFICATE_FILE: /run/secrets/florin/tls.crt cannot be read"),
            (["INTERNAL_TLS": "always"], "INTERNAL_TLS=always is not accepted: expected own or mesh or off"),
        ] as [([String: String?], String)])
    func refusals(_ changes: [String: String?], _ named: String) throws {
        let run = try LedgerProcess.run(["serve"], environment: environment(changes))
        #expect(run.code == 64)
        #expect(run.output.contains(named))
        #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
        #expect(!run.output.contains("hunter2"))
    }

    @Test("TLS files that can't be used are one line that names the setting, exit 64")
    func refusedCertificates() async throws {
        let authority = try await TestAuthority()
        let (first, second) = (try await authority.issue("first", hosts: "IP:127.0.0.1"), try await authority.issue("second", hosts: "IP:127.0.0.1"))
        func expect(_ named: String, _ certificate: String, _ key: String, _ authorities: String) throws {
            let changes = [
                "INTERNAL_TLS": "own", "INTERNAL_TLS_CERTIFICATE_FILE": certificate, "INTERNAL_TLS_KEY_FILE": key,
                "INTERNAL_TLS_CA_FILE": authorities,
            ]
            let run = try LedgerProcess.run(["serve"], environment: environment(changes))
            #expect(run.code == 64 && run.output.contains(named), "\(run.code) \(run.output)")
            #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
        }
        try expect("INTERNAL_TLS_KEY_FILE: \(second.key) is not the key of the certificate", first.certificate, second.key, authority.certificate)
        try expect("INTERNAL_TLS_CERTIFICATE_FILE: \(first.key) holds no certificates", first.key, first.key, authority.certificate)
        try expect("INTERNAL_TLS_CA_FILE: /nonexistent cannot be read", first.certificate, first.key, "/nonexistent")
    }

    @Test("a database that does not answer is named by a command, exit 3")
    func unreachable() throws {
        for command in ["verify", "migrate"] {
            let run = try LedgerProcess.run([command], environment: environment())
            #expect(run.code == 3)
            #expect(run.output.contains("127.0.0.1:1") && !run.output.contains("hunter2"))
            #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
        }
    }

    @Test("config lists every setting and no secret")
    func config() throws {
        let run = try LedgerProcess.run(["config"], environment: environment())
        #expect(run.code == 0)
        let settings =
            environment().keys + [
                "LEDGER_BATCH_LIMIT", "LEDGER_WRITERS", "LEDGER_POOL_SIZE", "LEDGER_REPLICA_DATABASE_URL", "TOKEN_AUDIENCE", "DRAIN_TIMEOUT",
            ]
        for name in settings { #expect(run.output.contains("\n\(name) "), "\(name)") }
        #expect(run.output.contains("<set>") && !run.output.contains("hunter2"))
    }

    @Test("migrate twice changes nothing more; serve refuses the owner's role, another service's database and an empty schema")
    func databases() async throws {
        let server = try await PostgresServer.startSeparate()
        let ledger = try await server.makeDatabase(service: "wallet-ledger")
        let other = try await server.makeDatabase(service: "ops-risk")
        let (port, admin) = (try FreePort.any(), try FreePort.any())
        func run(_ command: String, _ url: String) throws -> (code: Int32, output: String) {
            try LedgerProcess.run([command], environment: LedgerFleet.environment(url, folder.path, port: port, admin: admin))
        }
        let behind = try run("serve", ledger.servingURL)
        #expect(behind.code != 0 && !behind.output.contains("started"))
        let first = try run("migrate", ledger.ownerURL)
        #expect(first.code == 0, "\(first.output)")
        #expect(first.output.contains("migrations applied"))
        #expect(try run("migrate", ledger.ownerURL).output.contains("up to date"))
        let owner = try run("serve", ledger.ownerURL)
        #expect(owner.code == 64, "\(owner.output)")
        let foreign = try run("serve", other.servingURL)
        #expect(foreign.code == 64, "\(foreign.output)")
        let environment = LedgerFleet.environment(ledger.servingURL, folder.path, port: port, admin: admin)
        let replica = try LedgerProcess.run(
            ["serve"], environment: environment.merging(["LEDGER_REPLICA_DATABASE_URL": other.servingURL]) { $1 })
        #expect(replica.code == 64 && replica.output.contains("DATABASE_ISOLATION_MODE"), "\(replica.output)")
        #expect(try run("verify", ledger.servingURL).code == 0)
        try await server.stop()
    }

    @Test("two migrations at once: both end well, and each file is applied once")
    func concurrentMigrations() async throws {
        let server = try await PostgresServer.startSeparate()
        let ledger = try await server.makeDatabase(service: "wallet-ledger")
        let environment = LedgerFleet.environment(ledger.ownerURL, folder.path, port: 1, admin: 2)
        let both = [LedgerProcess(environment: environment, adminPort: 0), LedgerProcess(environment: environment, adminPort: 0)]
        for process in both { try process.start(["migrate"]) }
        #expect(both.map { $0.wait() } == [0, 0])
        let applied = try both.flatMap { process in
            try String(contentsOfFile: process.output, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("applied ") }
        }
        #expect(!applied.isEmpty && Set(applied).count == applied.count, "\(applied)")
        try await server.stop()
    }

    @Test("a taken port is named, exit 3; SIGTERM ends an idle process with 0")
    func takenPort() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            var second = fleet.replicas[0].environment
            second["ADMIN_PORT"] = "\(try FreePort.any())"
            let taken = try LedgerProcess.run(["serve"], environment: second)
            #expect(taken.code == 3)
            #expect(taken.output.contains("\(fleet.ports[0])"))
            #expect(fleet.replicas[0].end(SIGTERM) == 0)
        }
    }
}
