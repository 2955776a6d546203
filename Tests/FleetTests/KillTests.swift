import AccessTokens
import Contracts
import Foundation
import Postgres
import ServiceClient
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
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(state: seed)
        let fleet = try await LedgerFleet(replicas: 2)
        for (index, replica) in fleet.replicas.enumerated() {
            try replica.start()
            try await fleet.ready(index)
        }
        let wallets = try await openWallets(fleet)
        let token = try await fleet.issuer.token(
            for: .user(LedgerFleet.user), scopes: ["wallet"], lifetime: 3_600, now: LedgerFleet.seconds())
        let told = Acknowledgements()
        let clients = [try fleet.client("mobile-bff", replica: 0), try fleet.client("mobile-bff", replica: 1)]

        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<Self.writers {
                group.addTask {
                    var random = SeededGenerator(state: seed &+ UInt64(writer) &+ 1)
                    while !Task.isCancelled {
                        let (from, to) = Self.pair(&random)
                        let key = "w\(writer)-\(UUID().uuidString)"
                        told.sent(key, from, to)
                        await Self.transfer(clients[Int.random(in: 0...1, using: &random)], token, wallets, from, to, key, told)
                    }
                }
            }
            var events = Array(repeating: true, count: Self.kills) + Array(repeating: false, count: Self.databaseStops)
            events.shuffle(using: &random)
            for isKill in events {
                try await Task.sleep(for: .milliseconds(Int.random(in: 300...1_500, using: &random)))
                if isKill {
                    let victim = Int.random(in: 0...1, using: &random)
                    fleet.replicas[victim].end(SIGKILL)
                    try fleet.replicas[victim].start()
                    try await fleet.ready(victim)
                } else {
                    try fleet.server.stop(.immediate)
                    #expect(try await fleet.status(0, "/livez") == 200)
                    #expect(try await fleet.status(0, "/readyz") != 200)
                    try fleet.server.start()
                    for index in 0...1 { try await fleet.ready(index) }
                }
            }
            try await Task.sleep(for: .milliseconds(500))
            group.cancelAll()
        }
        try await settle(fleet, clients[0], token, wallets, told)
        try await judge(fleet, told, seed: seed)
        await fleet.stop()
    }

    private static func pair(_ random: inout SeededGenerator) -> (from: Int, to: Int) {
        let from = Int.random(in: 0..<wallets, using: &random)
        return (from, (from + Int.random(in: 1..<wallets, using: &random)) % wallets)
    }

    private func openWallets(_ fleet: LedgerFleet) async throws -> [String] {
        let token = try await fleet.issuer.token(
            for: .client("bank"), scopes: ["ledger:write", "ledger:fund"], lifetime: 3_600, now: LedgerFleet.seconds())
        let client = try fleet.client("api-gateway", replica: 0)
        func post(_ target: String, _ body: String) async throws -> String {
            let answer = try await client.send(
                ServiceRequest(
                    method: "POST", target: target, body: Array(body.utf8), deadline: .now + .seconds(10), idempotencyKey: UUID().uuidString,
                    authorization: "Bearer \(token)"))
            try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
            return try JSONParser.parse(answer.body)["id"]?.stringValue ?? ""
        }
        var ids: [String] = []
        for _ in 0..<Self.wallets {
            let id = try await post("/v1/wallets", #"{"owner_id":"\#(LedgerFleet.user)","currency":"EUR"}"#)
            _ = try await post("/v1/deposits", #"{"wallet_id":"\#(id)","amount":\#(Self.funds),"currency":"EUR"}"#)
            ids.append(id)
        }
        return ids
    }

    @discardableResult
    private static func transfer(
        _ client: ServiceClient, _ token: String, _ wallets: [String], _ from: Int, _ to: Int, _ key: String, _ told: Acknowledgements
    ) async -> Bool {
        let body = #"{"source_wallet_id":"\#(wallets[from])","destination_wallet_id":"\#(wallets[to])","amount":1,"currency":"EUR"}"#
        let request = ServiceRequest(
            method: "POST", target: "/v1/transfers", body: Array(body.utf8), deadline: .now + .seconds(20), idempotencyKey: key,
            authorization: "Bearer \(token)")
        guard let answer = try? await client.send(request) else { return false }
        let json = try? JSONParser.parse(answer.body)
        switch answer.status {
        case 201:
            told.acknowledged(key, json?["id"]?.stringValue ?? "")
            return true
        case 503: return false
        case 401 where json?["code"]?.stringValue == "signature_replayed": return false  // signed in the second of a start
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
        let (found, posted, doubled, total) = try await connection.withSession { session in
            (
                try session.query("SELECT count(*) FROM transfers WHERE id = ANY(\(ids))")[0].decode(0, as: Int64.self),
                try session.query("SELECT count(*) FROM transfers WHERE kind = 1")[0].decode(0, as: Int64.self),
                try session.query("SELECT count(*) FROM (SELECT 1 FROM transfers GROUP BY key_id HAVING count(*) > 1) d")[0].decode(
                    0, as: Int64.self),
                try session.query("SELECT sum(balance)::bigint FROM wallets WHERE NOT is_world")[0].decode(0, as: Int64.self)
            )
        }
        #expect(found == Int64(ids.count), "seed \(seed): an acknowledged posting is missing")
        #expect(posted == Int64(ids.count), "seed \(seed): a posting that nobody ordered, or one key posted twice")
        #expect(doubled == 0, "seed \(seed)")
        #expect(total == Self.funds * Int64(Self.wallets), "seed \(seed)")
        let verified = try fleet.verify()
        #expect(verified.code == 0, "seed \(seed): \(verified.output)")
    }
}

/// SplitMix64, so that a seed tells the whole story.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
