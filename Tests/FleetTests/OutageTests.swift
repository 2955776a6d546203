import Contracts
import Foundation
import Postgres
import ServiceClient
import TestSupport
import Testing

@Suite("A ledger whose database goes away, and one that is told to end")
struct OutageTests {
    @Test("without Postgres /readyz says 503 and /livez 200; with it again requests succeed and no posting is missing")
    func readiness() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 100)
            let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
            func transfer() async throws -> Int {
                try await client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: UUID().uuidString, token: token)).status
            }
            #expect(try await transfer() == 201)

            try await fleet.server.stop(.immediate)
            try await fleet.wait(0, "/readyz", for: 503)
            #expect(try await fleet.status(0, "/livez") == 200)
            try await fleet.server.start()
            try await fleet.wait(0, "/readyz", for: 200)
            #expect(try await transfer() == 201)
            #expect(try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1") == 2)
            #expect(try fleet.verify().code == 0)

            try await fleet.server.execute(
                [
                    "SET session_replication_role = replica",
                    "UPDATE wallets SET balance = balance + 1 WHERE id = (SELECT source_wallet_id FROM transfers WHERE kind = 1 LIMIT 1)",
                ], database: fleet.database.name)
            let altered = try fleet.verify()
            #expect(altered.code == 1 && altered.output.contains(wallets[0]), "\(altered.output)")
        }
    }

    @Test("SIGTERM while a transfer waits for a lock: it is answered, then the process ends with 0")
    func drain() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 100)
            let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
            let lock = try await WalletLock.take(fleet)
            async let answer = client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "drained", token: token))
            try await appears("wait_event_type = 'Lock' AND application_name = 'wallet-ledger'", fleet)
            fleet.replicas[0].signal(SIGTERM)
            try await lock.release()
            let status = try await answer.status
            #expect(status == 201)
            #expect(fleet.replicas[0].wait() == 0)
            #expect(try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1") == 1)
        }
    }

    @Test("Postgres is frozen: the admin port answers, and SIGTERM ends the process with 0 while it still is", arguments: [false, true])
    func frozen(isPooled: Bool) async throws {
        try await LedgerFleet.with(replicas: 1, isPooled: isPooled, settings: ["DRAIN_TIMEOUT": "4s"]) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 100)
            let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
            let (code, isFrozen) = try await fleet.server.whileFrozen {
                // One that the writer has, and one that reads.
                let posting = LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "frozen", token: token)
                let read = ServiceRequest(
                    method: "GET", target: "/v1/wallets/\(wallets[0])", deadline: .now + .seconds(20), authorization: "Bearer \(token)")
                async let answers = (try? client.send(posting), try? client.send(read))
                try await fleet.wait(0, "/readyz", for: 503)
                #expect(try await fleet.status(0, "/livez") == 200)
                #expect(try await fleet.metrics(0).contains("postgres_pool_connections"))
                fleet.replicas[0].signal(SIGTERM)
                let code = fleet.replicas[0].wait()
                _ = await answers
                return code
            }
            let log = (try? String(contentsOfFile: fleet.replicas[0].output, encoding: .utf8)) ?? ""
            #expect(isFrozen)
            #expect(code == 0, "\(log)")
            // PgBouncer 1.18 dies when a client leaves while it asks a frozen server who that is ("FATAL disconnect_client(): bad client state").
            if isPooled { try await fleet.server.pooler().killAndRestart() }
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            #expect(try await client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "frozen", token: token)).status == 201)
            #expect(try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1") == 1)
        }
    }

    @Test("Postgres is frozen: a command ends with 3 while it still is")
    func frozenCommand() async throws {
        try await LedgerFleet.with(replicas: 0) { fleet in
            let (verified, isFrozen) = try await fleet.server.whileFrozen { try fleet.verify() }
            #expect(isFrozen)
            #expect(verified.code == 3, "\(verified.output)")
        }
    }

    @Test("a replica that is stopped with locks in hand loses them in seconds; another one posts, and it goes on where it was")
    func stopped() async throws {
        try await LedgerFleet.with(replicas: 2) { fleet in
            for replica in fleet.replicas { try replica.start() }
            for index in fleet.replicas.indices { try await fleet.ready(index) }
            let wallets = try await fleet.openWallets(2, funds: 100)
            let (client, other, token) = (
                try fleet.client("mobile-bff", replica: 0), try fleet.client("mobile-bff", replica: 1), try await fleet.userToken()
            )
            let lock = try await WalletLock.take(fleet)
            // Whoever waits for it gives up at some time, and repeats the key.
            async let answer = try? client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "stopped", token: token))
            try await appears("wait_event_type = 'Lock' AND application_name = 'wallet-ledger'", fleet)
            fleet.replicas[0].signal(SIGSTOP)
            try await lock.release()
            // Its backend has the locks and the batch's time, and nobody to decide.
            try await appears("state LIKE 'idle in transaction%' AND application_name = 'wallet-ledger'", fleet)
            let isPosted = try await eventually(within: .seconds(15)) {
                try await other.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "other", token: token)).status == 201
            }
            #expect(isPosted)
            fleet.replicas[0].signal(SIGCONT)
            _ = await answer
            let repeated = try await client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: "stopped", token: token))
            #expect(repeated.status == 201)
            #expect(try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1") == 2)
            #expect(try fleet.verify().code == 0)
        }
    }

    @Test("a read replica that is out of reach stops nothing: the primary answers about the past")
    func unreachableReplica() async throws {
        let nowhere = ["LEDGER_REPLICA_DATABASE_URL": "postgres://wallet_ledger:x@127.0.0.1:1/none"]
        try await LedgerFleet.with(replicas: 1, settings: nowhere) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallet = try await fleet.openWallets(1, funds: 100)[0]
            let to = Timestamp(microsecondsSinceUnixEpoch: (LedgerFleet.seconds() - 20) * 1_000_000)
            let answer = try await fleet.client("mobile-bff", replica: 0).send(
                ServiceRequest(
                    method: "GET", target: "/v1/wallets/\(wallet)/statement?to=\(to)", deadline: .now + .seconds(10),
                    authorization: "Bearer \(try await fleet.userToken())"))
            #expect(answer.status == 200)
            let metrics = try await fleet.client("fleetctl", ServiceAddress("http://127.0.0.1:\(fleet.replicas[0].adminPort)")).send(
                ServiceRequest(method: "GET", target: "/metrics", deadline: .now + .seconds(10)))
            #expect(String(decoding: metrics.body, as: UTF8.self).contains(#"ledger_replica_reads_total{target="primary"} 1"#))
        }
    }

    /// Waits until some session of the server is in the given state.
    private func appears(_ condition: String, _ fleet: LedgerFleet) async throws {
        let hasAppeared = try await eventually(within: .seconds(20), every: .milliseconds(10)) {
            try await fleet.number("SELECT count(*) FROM pg_stat_activity WHERE \(condition)") > 0
        }
        #expect(hasAppeared, "no session with \(condition)")
    }
}

/// A transaction of a stranger that has locked every wallet of the users, until it is told to end.
private struct WalletLock {
    /// For how long it waits to be told: longer than the ledger waits for a lock.
    private static let limit = DispatchTimeInterval.seconds(20)

    private let end: DispatchSemaphore
    private let transaction: Task<Void, any Error>

    static func take(_ fleet: LedgerFleet) async throws -> WalletLock {
        let connection = try await fleet.server.superuserConnection(database: fleet.database.name)
        let (locked, announcement) = AsyncStream<Void>.makeStream()
        let end = DispatchSemaphore(value: 0)
        let transaction = Task {
            defer { announcement.finish() }
            try await connection.withSession { session in
                try session.begin()
                try session.execute("SELECT FROM wallets WHERE NOT is_world FOR UPDATE")
                announcement.finish()
                _ = end.wait(timeout: .now() + Self.limit)
                try session.commit()
            }
            await connection.close()
        }
        for await _ in locked {}
        return WalletLock(end: end, transaction: transaction)
    }

    func release() async throws {
        end.signal()
        try await transaction.value
    }
}
