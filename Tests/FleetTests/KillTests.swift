import AccessTokens
import Contracts
import Foundation
import Postgres
import ServiceClient
import StrictJSON
import Synchronization
import TestSupport
import Testing

/// What the writers were told, to be held against the database.
private final class Acknowledgements: Sendable {
    private let state = Mutex((ids: [String: String](), open: [String: (from: Int, to: Int)](), surprises: [String]()))

    func acknowledged(_ key: String, _ id: String) {
        state.withLock {
            $0.ids[key] = id
            $0.open[key] = nil
        }
    }
    func sent(_ key: String, _ from: Int, _ to: Int) { state.withLock { $0.open[key] = (from, to) } }
    func surprise(_ text: String) { state.withLock { $0.surprises.append(text) } }
    var all: (ids: [String: String], open: [String: (from: Int, to: Int)], surprises: [String]) { state.withLock { $0 } }
}

@Suite("A fleet that dies at any moment", .serialized)
struct KillTests {
    /// `FLORIN_CHAOS=long` is the long form.
    private static let isLong = ProcessInfo.processInfo.environment["FLORIN_CHAOS"] == "long"
    private static let kills = isLong ? 20 : 4
    private static let databaseStops = isLong ? 5 : 1
    private static let writers = 64
    private static let wallets = 50
    private static let funds: Int64 = 1_000_000

    @Test("kill -9 of replicas and immediate stops of Postgres lose nothing that was acknowledged and repeat nothing")
    func killed() async throws {
        let seed = ProcessInfo.processInfo.environment["FLORIN_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0 ... .max)
        print("kill test: seed \(seed), \(Self.kills) kills, \(Self.databaseStops) stops of Postgres")
        var random = SeededGenerator(seed: seed)
        try await LedgerFleet.with(replicas: 2) { fleet in
            // A commit is durable because its transaction says so: the role's own setting would lose what the last seconds brought.
            try await fleet.server.execute([
                "ALTER ROLE wallet_ledger SET synchronous_commit = off", "ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()",
            ])
            for (index, replica) in fleet.replicas.enumerated() {
                try replica.start()
                try await fleet.ready(index)
            }
            let wallets = try await fleet.openWallets(Self.wallets, funds: Self.funds)
            let token = try await fleet.userToken()
            let told = Acknowledgements()
            let clients = [try fleet.client("mobile-bff", replica: 0), try fleet.client("mobile-bff", replica: 1)]

            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<Self.writers {
                    group.addTask {
                        var random = SeededGenerator(seed: seed &+ UInt64(writer) &+ 1)
                        while !Task.isCancelled {
                            let (from, to) = Self.pair(&random)
                            let key = "w\(writer)-\(UUID().uuidString)"
                            told.sent(key, from, to)
                            // Some give up after one try, some repeat the key at either replica while it may still be under way.
                            for _ in 0..<Int.random(in: 1...3, using: &random) {
                                let client = clients[Int.random(in: 0...1, using: &random)]
                                if await Self.transfer(client, token, wallets, from, to, key, told) { break }
                            }
                        }
                    }
                }
                var events = Array(repeating: true, count: Self.kills) + Array(repeating: false, count: Self.databaseStops)
                events.shuffle(using: &random)
                for isKill in events {
                    try await Self.traffic(Int.random(in: 100...1_000, using: &random), told)
                    if isKill {
                        let victim = Int.random(in: 0...1, using: &random)
                        fleet.replicas[victim].end(SIGKILL)
                        try fleet.replicas[victim].start()
                        try await fleet.ready(victim)
                    } else {
                        try await fleet.server.stop(.immediate)
                        try await fleet.wait(0, "/readyz", for: 503)
                        #expect(try await fleet.status(0, "/livez") == 200)
                        try await fleet.server.start()
                        for index in 0...1 { try await fleet.ready(index) }
                    }
                }
                try await Self.traffic(300, told)
                group.cancelAll()
            }
            try await settle(fleet, clients[0], token, wallets, told)
            try await judge(fleet, told, seed: seed)
        }
    }

    /// Waits until so many more transfers were acknowledged.
    private static func traffic(_ count: Int, _ told: Acknowledgements) async throws {
        let goal = told.all.ids.count + count
        #expect(try await eventually { told.all.ids.count >= goal })
    }

    private static func pair(_ random: inout SeededGenerator) -> (from: Int, to: Int) {
        let from = Int.random(in: 0..<wallets, using: &random)
        return (from, (from + Int.random(in: 1..<wallets, using: &random)) % wallets)
    }

    @discardableResult
    private static func transfer(
        _ client: ServiceClient, _ token: String, _ wallets: [String], _ from: Int, _ to: Int, _ key: String, _ told: Acknowledgements
    ) async -> Bool {
        let request = LedgerFleet.transfer(from: wallets[from], to: wallets[to], key: key, token: token)
        guard let answer = try? await client.send(request) else { return false }
        let json = try? JSONParser.parse(answer.body)
        switch answer.status {
        case 201:
            told.acknowledged(key, json?["id"]?.stringValue ?? "")
            return true
        case 503: return false
        case 401 where json?["code"]?.stringValue == "signature_replayed": return false  // signed in the second of a start
        // A repeat at the other replica, while the batch of the first try is not over.
        case 409 where json?["code"]?.stringValue == "request_in_progress": return false
        default:
            told.surprise("\(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
            return false
        }
    }

    /// Repeats every request whose outcome nobody learnt, until it has one.
    private func settle(
        _ fleet: LedgerFleet, _ client: ServiceClient, _ token: String, _ wallets: [String], _ told: Acknowledgements
    ) async throws {
        for (key, pair) in told.all.open {
            var isSettled = false
            for _ in 0..<20 where !isSettled {
                isSettled = await Self.transfer(client, token, wallets, pair.from, pair.to, key, told)
            }
            #expect(isSettled)
        }
    }

    private func judge(_ fleet: LedgerFleet, _ told: Acknowledgements, seed: UInt64) async throws {
        let all = told.all
        #expect(all.surprises.isEmpty, "seed \(seed): \(all.surprises.prefix(3))")
        #expect(!all.ids.isEmpty)
        let ids = all.ids.values.compactMap { TransferID($0)?.uuid }
        #expect(Set(ids).count == all.ids.count, "seed \(seed): two keys were answered with one posting")
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: fleet.database.servingURL))
        let (found, kept) = try await connection.withSession { session in
            (
                try session.query("SELECT count(*) FROM transfers WHERE id = ANY(\(ids))")[0].decode(Int64.self),
                try session.query("SELECT key, subject_id FROM idempotency_keys WHERE key LIKE 'w%-%'").map { row in
                    let (key, transfer) = try row.decode(String.self, UUID.self)
                    return (key, TransferID(transfer).description)
                }
            )
        }
        await connection.close()
        let posted = try await fleet.number("SELECT count(*) FROM transfers WHERE kind = 1")
        let doubled = try await fleet.number("SELECT count(*) FROM (SELECT FROM transfers GROUP BY key_id HAVING count(*) > 1) d")
        let total = try await fleet.number("SELECT sum(balance)::bigint FROM wallets WHERE NOT is_world")
        let gaps = try await fleet.number(
            """
            SELECT count(*) FROM (
                SELECT w.version, count(e.version) AS steps, min(e.version) AS oldest, max(e.version) AS newest
                FROM wallets w JOIN entries e ON e.wallet_id = w.id GROUP BY w.id
            ) x WHERE oldest <> 1 OR newest <> steps OR newest <> version
            """)
        #expect(gaps == 0, "seed \(seed): versions with a gap")
        #expect(Dictionary(kept) { first, _ in first } == all.ids, "seed \(seed): a key leads to another posting than its answer said")
        print("kill test: \(posted) postings, all accounted for by their keys: \(posted == Int64(ids.count))")
        #expect(found == Int64(ids.count), "seed \(seed): an acknowledged posting is missing")
        #expect(posted == Int64(ids.count), "seed \(seed): a posting that nobody ordered, or one key posted twice")
        #expect(doubled == 0, "seed \(seed)")
        #expect(total == Self.funds * Int64(Self.wallets), "seed \(seed)")
        let verified = try fleet.verify()
        #expect(verified.code == 0, "seed \(seed): \(verified.output)")
    }
}
