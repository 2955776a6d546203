import Foundation
import Postgres
import TestSupport
import Testing

/// Processes that start while their database is away: they wait for it, and look at it before they do anything.
@Suite("A process that starts before its database", .serialized, .timeLimit(.minutes(5)))
struct LateDatabaseTests {
    /// Status and text of an admin route; 0 while nobody listens.
    private static func ask(_ process: LedgerProcess, _ path: String) async -> (status: Int, text: String) {
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        guard let answer = try? await HTTPSocket.exchange(Array(request.utf8), port: process.adminPort) else { return (0, "") }
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    private static func waits(_ process: LedgerProcess) async throws {
        #expect(try await eventually { await ask(process, "/livez").status == 200 })
        let readiness = await ask(process, "/readyz")
        #expect(readiness.status == 503 && readiness.text.contains(#""status":"starting""#), "\(readiness)")
        #expect(readiness.text.contains(#""database":"failed""#), "\(readiness)")
    }

    private static func output(_ process: LedgerProcess) -> String { (try? String(contentsOfFile: process.output, encoding: .utf8)) ?? "" }

    @Test("wallet-ledger waits for Postgres, says so, and serves when it is there; its commands end with 3")
    func ledger() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try await fleet.server.stop()
            let ledger = fleet.replicas[0]
            try ledger.start()
            try await Self.waits(ledger)
            #expect(try fleet.verify().code == 3)
            try await fleet.server.start()
            try await fleet.ready(0)
            _ = try await fleet.openWallets(1, funds: 1)
            #expect(ledger.end(SIGTERM) == 0)
        }
    }

    @Test("outbox-relay waits for Postgres as well, and publishes when it is there")
    func relay() async throws {
        try await EventFleet.with { fleet in
            try await fleet.write(3, keys: ["k"])
            try await fleet.server.stop()
            let relay = try fleet.relay()
            try relay.start()
            try await Self.waits(relay)
            try await fleet.server.start()
            #expect(try await fleet.collect(atLeast: 3).firsts.count == 3)
            #expect(await Self.ask(relay, "/readyz").status == 200)
            #expect(relay.end(SIGTERM) == 0)
        }
    }

    @Test("ops-risk waits for Postgres as well, and consumes when it is there")
    func opsRisk() async throws {
        try await ConsumerFleet.with { fleet in
            try await fleet.server.stop()
            let consumer = try fleet.consumer()
            try await Self.waits(consumer)
            try await fleet.server.start()
            let isReady = try await eventually {
                let readiness = await Self.ask(consumer, "/readyz")
                return readiness.status == 200 && readiness.text.contains(#""events":"ok""#)
            }
            #expect(isReady)
            #expect(consumer.end(SIGTERM) == 0)
        }
    }

    @Test("SIGTERM while it waits ends the process with 0, also where a server takes the connection and never answers")
    func sigterm() async throws {
        let silent = try LoopbackListener()
        for port in [1, silent.port] {
            let admin = try FreePort.any()
            try await LedgerFleet.with(replicas: 1) { fleet in
                var environment = fleet.replicas[0].environment
                environment["LEDGER_DATABASE_URL"] = "postgres://wallet_ledger:hunter2@127.0.0.1:\(port)/none?connect_timeout=600"
                environment["ADMIN_PORT"] = "\(admin)"
                let ledger = LedgerProcess(environment: environment, adminPort: admin)
                try ledger.start()
                try await Self.waits(ledger)
                let asked = ContinuousClock.now
                #expect(ledger.end(SIGTERM) == 0)
                // Far less than the 25 s that a drain may take and the 600 s of the connection.
                #expect(.now - asked < .seconds(15))
                #expect(!Self.output(ledger).contains("hunter2"))
            }
        }
    }

    @Test("what is found when the database answers still ends the process: another service's 64, a schema that is behind 1")
    func refused() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            let foreign = try await fleet.server.makeDatabase(service: "ops-risk")
            let empty = try await fleet.server.makeDatabase(service: "wallet-ledger")
            try await fleet.server.stop()
            let processes = try [foreign.servingURL, empty.servingURL].map { url in
                let admin = try FreePort.any()
                var environment = fleet.replicas[0].environment
                environment["LEDGER_DATABASE_URL"] = url
                environment["ADMIN_PORT"] = "\(admin)"
                return LedgerProcess(environment: environment, adminPort: admin)
            }
            for process in processes {
                try process.start()
                try await Self.waits(process)
            }
            try await fleet.server.start()
            #expect(processes.map { $0.wait() } == [64, 1])
            #expect(Self.output(processes[0]).contains("DATABASE_ISOLATION_MODE: strict refuses to start"))
            #expect(Self.output(processes[1]).contains("run migrate"))
        }
    }

    @Test("a read replica that is away at the start is looked at when it answers: another service's is never asked for an answer")
    func replica() async throws {
        let standby = try await PostgresServer.startSeparate()
        let foreign = try await standby.makeDatabase(service: "ops-risk")
        try await standby.execute(["CREATE ROLE wallet_ledger LOGIN PASSWORD '\(TestDatabase.rolePassword)'"])
        try await standby.execute(["GRANT CONNECT ON DATABASE \(foreign.name) TO wallet_ledger"])
        let url = standby.url(database: foreign.name, user: "wallet_ledger", password: TestDatabase.rolePassword)
        try await standby.stop()
        let settings = ["LEDGER_REPLICA_DATABASE_URL": url, "LOG_LEVEL": "info"]
        try await LedgerFleet.with(replicas: 1, settings: settings) { fleet in
            let ledger = fleet.replicas[0]
            try ledger.start()
            try await fleet.ready(0)
            #expect(!Self.output(ledger).contains("the read replica can't be used"))
            try await standby.start()
            #expect(try await eventually { Self.output(ledger).contains("the read replica can't be used") })
            #expect(!Self.output(ledger).contains("the read replica is reached"))
            #expect(ledger.end(SIGTERM) == 0)
        }
        try await standby.stop(.immediate)
    }
}
