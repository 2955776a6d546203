import Contracts
import Foundation
import Idempotency
import Logging
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// Holds and atomic batches through a real database: what is written, answered again, and refused by the database itself.
@Suite("Holds and batches in the database", .onEachDatabasePath)
struct HoldRuleTests {
    private static func world(_ balance: Int64 = 1_000) async throws -> (MoneyFixture, payer: WalletID, shop: WalletID) {
        let fixture = try await MoneyFixture()
        let payer = try await fixture.openWallet()
        let shop = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(payer, balance)])
        return (fixture, payer, shop)
    }

    @Test("placed, captured twice and finally: balances, versions, answers and events fit, in one batch or in several", arguments: [true, false])
    func life(inOneBatch: Bool) async throws {
        let (fixture, payer, shop) = try await Self.world()
        let hold = MoneyFixture.newHold(payer, shop, 600)
        func requests(_ placed: HoldTerms) -> [PostingRequest] {
            [
                MoneyFixture.place(placed, key: "place"), MoneyFixture.capture(hold, 100, key: "first"),
                MoneyFixture.capture(hold, 200, reference: "second", key: "second"),
                MoneyFixture.capture(hold, 50, isFinal: true, key: "last"), MoneyFixture.void(hold, key: "late"),
            ]
        }
        var outcomes: [PostingOutcome] = []
        if inOneBatch {
            outcomes = try await fixture.post(requests(hold))
        } else {
            for request in requests(hold) { outcomes += try await fixture.post([request]) }
        }
        #expect(outcomes.map(\.word) == ["placed", "captured", "captured", "captured", "hold_not_open"])
        guard case .holdCaptured(let last, isReplay: false) = outcomes[3] else { return }
        #expect(last.status == .captured && last.capturedMinor == 350 && last.releasedMinor == 250 && last.remainingMinor == 0)
        #expect(last.transfer.kind == .capture && last.transfer.holdID == hold.id)
        #expect(try await fixture.balance(payer) == 650)
        #expect(try await fixture.balance(shop) == 350)
        #expect(try await fixture.held(payer) == 0)
        // Each again: the same answer, as a replay, and nothing moves.
        let again = try await fixture.post(requests(MoneyFixture.newHold(payer, shop, 600)))
        for (first, second) in zip(outcomes, again) { #expect(second.isReplay && Self.fact(first) == Self.fact(second)) }
        #expect(try await fixture.balance(payer) == 650)
        #expect(try await fixture.verify().findings == [])
    }

    /// The outcome without whether it is a replay.
    private static func fact(_ outcome: PostingOutcome) -> PostingOutcome {
        switch outcome {
        case .posted(let body, _): .posted(body, isReplay: false)
        case .batchPosted(let ids, _): .batchPosted(ids, isReplay: false)
        case .holdPlaced(let body, _): .holdPlaced(body, isReplay: false)
        case .holdCaptured(let body, _): .holdCaptured(body, isReplay: false)
        case .holdEnded(let body, _): .holdEnded(body, isReplay: false)
        case .refused(let refusal, let id, _): .refused(refusal, requestID: id, isReplay: false)
        case .keyReused, .failed: outcome
        }
    }

    @Test("the ledger ends what has expired, once, and what is released is available again")
    func expiry() async throws {
        let (fixture, payer, shop) = try await Self.world(100)
        let (short, long) = (MoneyFixture.newHold(payer, shop, 60), MoneyFixture.newHold(payer, shop, 40))
        #expect(try await fixture.post([MoneyFixture.place(short, seconds: 1), MoneyFixture.place(long)]).map(\.word) == ["placed", "placed"])
        let ended = try await fixture.withReplicas(2) { queues in
            let expiries = queues.map {
                HoldExpiry(
                    queue: $0, pool: fixture.pool, now: { Timestamp(microsecondsSinceUnixEpoch: 1_795_000_000_000_000) },
                    logger: Logger(label: "test"))
            }
            var ended = 0
            _ = try await eventually(within: .seconds(20)) {
                async let first = expiries[0].expirePage()
                async let second = expiries[1].expirePage()
                ended += try await first + second
                return ended > 0
            }
            return ended
        }
        #expect(ended == 1)
        #expect(try await fixture.hold(short.id)?.status == .expired)
        #expect(try await fixture.hold(long.id)?.status == .open)
        #expect(try await fixture.held(payer) == 40)
        #expect(
            try await fixture.post([MoneyFixture.capture(short, 1), MoneyFixture.transfer(payer, shop, 60)]).map(\.word) == [
                "hold_not_open", "posted",
            ])
        #expect(try await fixture.verify().findings == [])
    }

    @Test("a wallet with an open hold is not closed, and its overdraft limit covers what is held")
    func wallets() async throws {
        let (fixture, payer, shop) = try await Self.world(100)
        let hold = MoneyFixture.newHold(payer, shop, 100)
        _ = try await fixture.post([MoneyFixture.place(hold)])
        let origin = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
        let change = ChangeWallet(pool: fixture.pool, clock: fixture.clock)
        _ = try await change(payer, .setOverdraftLimit(50, Currency("EUR")!), reason: "r", origin)
        #expect(
            try await fixture.post([MoneyFixture.transfer(payer, shop, 51), MoneyFixture.transfer(payer, shop, 50)]).map(\.word) == [
                "insufficient_funds", "posted",
            ])
        guard case .refused(Refusal(.overdraftInUse), _, _) = try await change(payer, .setOverdraftLimit(49, Currency("EUR")!), reason: "r", origin),
            case .refused(Refusal(.balanceNotZero), _, _) = try await change(payer, .close, reason: "r", origin)
        else {
            Issue.record("changed")
            return
        }
        #expect(try await fixture.verify().findings == [])
    }

    @Test("an atomic batch is one key and one answer: posted whole, or refused by its first item, and the same again later")
    func atomic() async throws {
        let (fixture, payer, shop) = try await Self.world(100)
        func move(_ amount: Int64) -> TransferRequest {
            TransferRequest(sourceWalletID: payer, destinationWalletID: shop, money: MoneyFixture.money(amount))
        }
        let good = MoneyFixture.atomic([move(10), move(20), move(30)], key: "good")
        let bad = MoneyFixture.atomic([move(10), move(31)], key: "bad")
        let outcomes = try await fixture.post([good, bad, MoneyFixture.transfer(payer, shop, 40)])
        #expect(outcomes.map(\.word) == ["batch", "insufficient_funds", "posted"])
        guard case .batchPosted(let ids, isReplay: false) = outcomes[0], case .refused(let refusal, _, _) = outcomes[1] else { return }
        #expect(ids.count == 3 && refusal.item == 1)
        _ = try await fixture.post([MoneyFixture.deposit(payer, 1_000)])
        let again = try await fixture.post([
            MoneyFixture.atomic([move(10), move(20), move(30)], key: "good"), MoneyFixture.atomic([move(10), move(31)], key: "bad"),
            MoneyFixture.atomic([move(10), move(20), move(31)], key: "good"),
        ])
        #expect(again[0] == .batchPosted(ids, isReplay: true))
        guard case .refused(refusal, _, isReplay: true) = again[1] else {
            Issue.record("\(again[1])")
            return
        }
        #expect(again[2] == .keyReused(pointer: "/transfers/2/amount"))
        #expect(try await fixture.balance(payer) == 1_000)
        #expect(try await fixture.balance(shop) == 100)
        #expect(try await fixture.verify().findings == [])
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        let name: String
        let sql: String
        let constraint: String
        var testDescription: String { name }

        init(_ name: String, _ constraint: String, _ sql: String) { (self.name, self.sql, self.constraint) = (name, sql, constraint) }
    }

    /// What breaks a rule in a ledger with one hold of 600, of which 100 are captured.
    private static let violations = [
        Violation(
            "a hold without its change", "holds_follow_changes",
            """
            INSERT INTO holds SELECT gen_random_uuid(), wallet_id, destination_wallet_id, 5, currency, 0, 0, placed_by, placed_at, expires_at
            FROM holds
            """),
        Violation("more captured than captures took", "holds_follow_changes", "UPDATE holds SET captured = 101"),
        Violation("an end that released nothing", "holds_follow_changes", "UPDATE holds SET status = 2"),
        Violation("captured beyond the amount", "holds_within_amount", "UPDATE holds SET captured = 601, status = 1"),
        Violation(
            "held without a hold", "wallets_follow_entries", "UPDATE wallets SET held = held + 1, version = version + 1 WHERE held > 0"),
        Violation("held less than its holds", "wallets_follow_entries", "UPDATE wallets SET held = held - 1 WHERE held > 0"),
        Violation("held beyond the balance", "wallets_floor", "UPDATE wallets SET held = 901, version = version + 1 WHERE held > 0"),
        Violation(
            "a void that its wallet does not show", "hold_changes_follow",
            """
            INSERT INTO hold_changes
            SELECT wallet_id, version + 2, hold_id, 3, 0, 0, 500, 0, 100, 2, NULL, gen_random_uuid(), changed_at
            FROM hold_changes WHERE kind = 1
            """),
        Violation(
            "a change that another one follows", "hold_changes_follow",
            """
            INSERT INTO hold_changes
            SELECT wallet_id, version - 1, hold_id, 1, 1, 0, 0, 1, 0, 0, NULL, gen_random_uuid(), changed_at
            FROM hold_changes WHERE kind = 1
            """),
        Violation(
            "a capture without a change of its hold", "captures_take_from_holds",
            """
            WITH wallet AS (
                UPDATE wallets SET balance = balance - 1, version = version + 1, last_posted_at = now() WHERE held > 0
                RETURNING id, version, balance
            ), shop AS (
                UPDATE wallets w SET balance = balance + 1, version = version + 1, last_posted_at = now() FROM holds h WHERE w.id = h.destination_wallet_id
                RETURNING w.id, w.version, w.balance
            ), moved AS (
                INSERT INTO transfers (id, kind, amount, currency, source_wallet_id, source_version, destination_wallet_id,
                    destination_version, ordered_by, key_id, posted_at, hold_id)
                SELECT gen_random_uuid(), 5, 1, 'EUR', wallet.id, wallet.version, shop.id, shop.version, 'x', gen_random_uuid(), now(), h.id
                FROM wallet, shop, holds h RETURNING *
            )
            INSERT INTO entries
            SELECT wallet.id, wallet.version, moved.id, -1, wallet.balance, now() FROM wallet, moved
            UNION ALL SELECT shop.id, shop.version, moved.id, 1, shop.balance, now() FROM shop, moved
            """),
        Violation("a change made undone", "", "UPDATE hold_changes SET placed = placed"),
        Violation("holds forgotten", "", "DELETE FROM holds"),
    ]

    /// With an open hold of 600, of which 100 are captured.
    private static let captured = UnchangedLedger {
        let (fixture, payer, shop) = try await world()
        let hold = MoneyFixture.newHold(payer, shop, 600)
        _ = try await fixture.post([MoneyFixture.place(hold), MoneyFixture.capture(hold, 100)])
        return fixture
    }

    @Test("the database refuses its owner what no batch would write", arguments: violations)
    func database(_ violation: Violation) async throws {
        let fixture = try await Self.captured.value()
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        let error = await #expect(throws: PostgresError.self) {
            try await connection.withSession { session in _ = try session.execute(PostgresQuery(unsafeSQL: violation.sql)) }
        }
        await connection.close()
        #expect(error?.constraintName ?? "" == violation.constraint, "\(error?.description ?? "")")
        #expect(error?.sqlState == .integrityConstraintViolation || error?.sqlState == .checkViolation)
        #expect(try await fixture.verify().findings == [])
    }
}
