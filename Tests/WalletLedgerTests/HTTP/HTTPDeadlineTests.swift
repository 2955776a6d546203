import Contracts
import Foundation
import Observability
import Postgres
import ServiceRuntime
import TestSupport
import Testing

@testable import WalletLedger

/// A ledger of its own whose tables a stranger has locked, as a migration does.
@Suite("Requests and their deadlines", .timeLimit(.minutes(5)))
struct HTTPDeadlineTests {
    /// Longer than any answer here may take, and much longer than the deadlines.
    private static let lockLimit = DispatchTimeInterval.seconds(60)
    /// For answers that are due after a second and a half, on a busy machine; every limit but the caller's own is longer.
    private static let slack = Duration.seconds(12)

    @Test("with the wallets locked every route that asks the database is answered 503 at its deadline, and works when the lock is gone")
    func lockedTables() async throws {
        let world = try await LedgerWorld.new(on: LedgerAPI.separate())
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet(balance: 100))
        let transfer = try await world.transfer(5, from: own, to: other)
        let hold = try await world.hold(1, from: own, to: other)
        let calls = Self.calls(world, own, other, transfer.id, hold.id)
        #expect(Set(calls.map { world.api.documented.route($0.method, target: $0.target) ?? "?" }) == Set(world.api.routes))

        let lock = try await TableLock.take(world.api, "wallets, transfers, holds, idempotency_keys, wallet_changes")
        // All at once, three times as many as there are connections.
        let asked = ContinuousClock.now
        let answers = try await withThrowingTaskGroup(of: (String, SignedAnswer).self) { group in
            for call in calls {
                group.addTask {
                    var call = call
                    call.fields["florin-deadline"] = String(WallClock.microsecondsSinceUnixEpoch() / 1_000 + 1_500)
                    return ("\(call.method) \(call.target)", try await world.api.send(call))
                }
            }
            return try await group.reduce(into: [(String, SignedAnswer)]()) { $0.append($1) }
        }
        let (isHeld, took) = (lock.isHeld, ContinuousClock.now - asked)
        for (call, answer) in answers {
            #expect(answer.status == 503 && ["unavailable", "outcome_unknown"].contains(answer.code), "\(call): \(answer.text)")
        }
        // They were answered because their time was over, not because the lock was.
        #expect(isHeld)
        #expect(took < Self.slack)
        try await lock.release()
        #expect(try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)", as: world.user)).status == 200)
        #expect(try await world.transfer(5, from: own, to: other).status == 201)
    }

    @Test("reads of a locked table give their connections back at their deadlines: what needs another table is served beside them")
    func unrelatedRoutes() async throws {
        let world = try await LedgerWorld.new(on: LedgerAPI.separate())
        let wallet = try await world.wallet(balance: 100)
        let lock = try await TableLock.take(world.api, "entries")
        let deadline = WallClock.microsecondsSinceUnixEpoch() / 1_000 + 1_000
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    var call = SignedCall("GET", "/v1/wallets/\(wallet)/entries", as: world.user)
                    call.fields["florin-deadline"] = String(deadline)
                    return try await world.api.send(call).status
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(statuses == [503])
        #expect(try await world.api.send(SignedCall("GET", "/v1/wallets/\(wallet)", as: world.user)).status == 200)
        #expect(lock.isHeld)
        try await lock.release()
        #expect(try await world.api.send(SignedCall("GET", "/v1/wallets/\(wallet)/entries", as: world.user)).status == 200)
    }

    private static func calls(_ world: LedgerWorld, _ own: String, _ other: String, _ transfer: String, _ hold: String) -> [SignedCall] {
        func post(_ target: String, _ body: String, as party: Party) -> SignedCall {
            SignedCall("POST", target, body, as: party, key: LedgerWorld.newKey())
        }
        let move = LedgerWorld.transfer(own, other, "1")
        let reason = #"{"reason":"test"}"#
        let reads = [
            "/v1/wallets", "/v1/wallets/\(own)", "/v1/wallets/\(own)/balance", "/v1/wallets/\(own)/statement", "/v1/wallets/\(own)/entries",
            "/v1/wallets/\(own)/holds", "/v1/transfers?wallet_id=\(own)", "/v1/transfers/\(transfer)", "/v1/holds/\(hold)",
        ]
        return reads.map { SignedCall("GET", $0, as: world.user) } + [
            post("/v1/wallets", #"{"currency":"EUR"}"#, as: world.user), post("/v1/transfers", move, as: world.user),
            post("/v1/transfers/batch", LedgerWorld.batch("independent", move), as: world.user),
            post("/v1/transfers/batch", LedgerWorld.batch("atomic", move), as: world.user),
            post("/v1/deposits", LedgerWorld.funding(own, 1), as: world.client),
            post("/v1/withdrawals", LedgerWorld.funding(own, 1), as: world.client),
            post("/v1/transfers/\(transfer)/refunds", "{}", as: world.staff), post("/v1/holds", move, as: world.user),
            post("/v1/holds/\(hold)/capture", "{}", as: world.user), post("/v1/holds/\(hold)/void", "{}", as: world.user),
            post("/v1/wallets/\(own)/freeze", #"{"block":"debits","reason":"test"}"#, as: world.staff),
            post("/v1/wallets/\(own)/unfreeze", reason, as: world.staff), post("/v1/wallets/\(own)/close", reason, as: world.staff),
            SignedCall(
                "PUT", "/v1/wallets/\(own)/overdraft-limit", #"{"limit":1,"currency":"EUR","reason":"test"}"#, as: world.staff,
                key: LedgerWorld.newKey()),
        ]
    }

    /// A stranger's transaction that keeps tables for itself.
    private struct TableLock {
        private let end: DispatchSemaphore
        private let transaction: Task<Void, any Error>
        private let until: ContinuousClock.Instant

        static func take(_ api: LedgerAPI, _ tables: String) async throws -> TableLock {
            let connection = try await api.database.server.superuserConnection(database: api.database.name)
            let (locked, announcement) = AsyncStream<Void>.makeStream()
            let end = DispatchSemaphore(value: 0)
            let transaction = Task {
                defer { announcement.finish() }
                try await connection.withSession { session in
                    try session.transaction { session in
                        try session.execute(PostgresQuery(unsafeSQL: "LOCK TABLE \(tables) IN ACCESS EXCLUSIVE MODE"))
                        announcement.finish()
                        _ = end.wait(timeout: .now() + HTTPDeadlineTests.lockLimit)
                    }
                }
                await connection.close()
            }
            for await _ in locked {}
            return TableLock(end: end, transaction: transaction, until: .now + .seconds(60))
        }

        var isHeld: Bool { .now < until }

        func release() async throws {
            end.signal()
            try await transaction.value
        }
    }
}
