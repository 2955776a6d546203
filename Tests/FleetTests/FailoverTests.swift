import Contracts
import Foundation
import Postgres
import ServiceClient
import StrictJSON
import Synchronization
import TestSupport
import Testing

/// A real fail-over behind the address that the ledger was given: the primary takes no writes any more, goes, comes back as a standby, and
/// the address moves to the one that was promoted. The process is never restarted.
@Suite("A database that fails over", .serialized, .timeLimit(.minutes(5)))
struct FailoverTests {
    private static let writers = 8

    /// What callers were told.
    private final class Answers: Sendable {
        private let state = Mutex((acknowledged: [String: String](), refusals: 0, surprises: [String](), open: Set<String>()))

        var acknowledged: [String: String] { state.withLock { $0.acknowledged } }
        var refusals: Int { state.withLock { $0.refusals } }
        var surprises: [String] { state.withLock { $0.surprises } }
        var open: Set<String> { state.withLock { $0.open } }

        /// - Returns: whether the transfer was acknowledged.
        @discardableResult
        func note(_ answer: ServiceResponse?, key: String) -> Bool {
            let json = answer.flatMap { try? JSONParser.parse($0.body) }
            return state.withLock { state in
                switch (answer?.status, json?["code"]?.stringValue) {
                case (201, _):
                    state.acknowledged[key] = json?["id"]?.stringValue ?? ""
                    state.open.remove(key)
                    return true
                case (503, _), (nil, _), (409, "request_in_progress"):
                    state.refusals += 1
                    state.open.insert(key)
                default: state.surprises.append("\(answer?.status ?? 0) \(String(decoding: answer?.body ?? [], as: UTF8.self))")
                }
                return false
            }
        }
    }

    /// Status and text of `/readyz`.
    private static func readiness(_ fleet: LedgerFleet) async throws -> (status: Int, text: String) {
        let client = try fleet.client("fleetctl", ServiceAddress("http://127.0.0.1:\(fleet.replicas[0].adminPort)"))
        let answer = try? await client.send(ServiceRequest(method: "GET", target: "/readyz", deadline: .now + .seconds(10)))
        return (answer?.status ?? 0, String(decoding: answer?.body ?? [], as: UTF8.self))
    }

    private static func becomes(_ status: Int, _ check: String, _ fleet: LedgerFleet) async throws {
        var last = (status: 0, text: "")
        let has = try await eventually(every: .milliseconds(50)) {
            last = try await readiness(fleet)
            return last.status == status && last.text.contains("\"database\":\"\(check)\"")
        }
        #expect(has, "/readyz is \(last.status) \(last.text), not \(status) with database \(check)")
    }

    @Test("writers go through a fail-over without a restart: nothing acknowledged is lost, nothing is an error, and /readyz is right throughout")
    func failover() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            let standby = try await PostgresServer.startStandby(of: fleet.server)
            // From here on a commit is acknowledged when the standby has it.
            try await fleet.server.execute(["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"])
            let address = try TCPForwarder(to: fleet.server.port)
            let url = fleet.database.servingURL.replacing(":\(fleet.server.port)/", with: ":\(address.port)/")
            let first = fleet.replicas[0]
            let ledger = LedgerProcess(
                environment: first.environment.merging(["LEDGER_DATABASE_URL": url]) { $1 }, adminPort: first.adminPort)
            try ledger.start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 1_000_000)
            let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
            let answers = Answers()
            let send: @Sendable (String) async -> Bool = { key in
                answers.note(
                    try? await client.send(LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: key, token: token)), key: key)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<Self.writers {
                    group.addTask { while !Task.isCancelled { _ = await send(UUID().uuidString) } }
                }
                try await Self.failOver(fleet, to: standby, address) { answers.acknowledged.count }
                group.cancelAll()
            }
            for key in answers.open {
                #expect(try await eventually { await send(key) }, "\(key) has no outcome")
            }
            #expect(answers.surprises.isEmpty, "\(answers.surprises.prefix(3))")
            #expect(answers.refusals > 0)
            try await Self.judge(answers.acknowledged, on: standby, fleet, url)
            #expect(ledger.end(SIGTERM) == 0)
            try await standby.stop(.immediate)
        }
    }

    private static func failOver(
        _ fleet: LedgerFleet, to standby: PostgresServer, _ address: TCPForwarder, acknowledged: @escaping @Sendable () -> Int
    ) async throws {
        func goesOn(_ what: Comment) async throws {
            let before = acknowledged()
            #expect(try await eventually { acknowledged() > before + 20 }, what)
        }
        try await goesOn("before")
        try await becomes(200, "ok", fleet)
        // Sessions that are open see this as well: the next write of each is refused.
        try await fleet.server.execute(["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"])
        try await becomes(200, "degraded", fleet)
        try await fleet.server.stop()
        try await becomes(503, "failed", fleet)
        #expect(try await fleet.status(0, "/livez") == 200)
        try await standby.execute(["SELECT pg_promote()"])
        // It comes back as a standby, and the address leads to it for a while.
        try Data().write(to: URL(fileURLWithPath: "\(fleet.server.folder)/data/standby.signal"))
        if getuid() == 0 { try await Shell.run(["/usr/bin/chown", "postgres", "\(fleet.server.folder)/data/standby.signal"]) }
        try await fleet.server.start()
        try await becomes(200, "degraded", fleet)
        address.move(to: standby.port)
        try await becomes(200, "ok", fleet)
        try await goesOn("after")
    }

    private static func judge(_ acknowledged: [String: String], on server: PostgresServer, _ fleet: LedgerFleet, _ url: String) async throws {
        let ids = acknowledged.values.compactMap { TransferID($0)?.uuid }
        #expect(Set(ids).count == acknowledged.count)
        let connection = try await server.superuserConnection(database: fleet.database.name)
        let (found, posted) = try await connection.withSession { session in
            try session.query("SELECT count(*) FILTER (WHERE id = ANY(\(ids))), count(*) FROM transfers WHERE kind = 1")[0]
                .decode(Int64.self, Int64.self)
        }
        await connection.close()
        #expect(found == Int64(ids.count), "an acknowledged transfer is missing")
        #expect(posted == found, "a transfer that nobody was told of")
        let verified = try LedgerProcess.run(["verify"], environment: LedgerFleet.environment(url, fleet.folder, port: 1, admin: 2))
        #expect(verified.code == 0, "\(verified.output)")
    }
}
