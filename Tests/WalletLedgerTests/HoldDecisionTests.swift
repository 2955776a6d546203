import Contracts
import Foundation
import HTTPService
import Idempotency
import StrictJSON
import Testing

@testable import WalletLedger

/// What a batch decides about holds and atomic batches, without a database.
@Suite("The ledger's decisions about holds and batches")
struct HoldDecisionTests {
    private static let time = Timestamp(microsecondsSinceUnixEpoch: 1_795_000_000_000_000)
    private static let payer = WalletID(UUID(high: 0x0193_92d0_0000_7000, low: 0x8000_0000_0000_0010))
    private static let shop = WalletID(UUID(high: 0x0193_92d0_0000_7000, low: 0x8000_0000_0000_0020))

    private static func wallet(
        _ id: WalletID, _ balance: Int64 = 0, held: Int64 = 0, limit: Int64 = 0, status: WalletStatus = .open, currency: String = "EUR"
    ) -> WalletState {
        WalletState(
            id: id, ownerID: MoneyFixture.owner, openedBy: "client:bank", currency: Currency(currency)!, balanceMinor: balance,
            heldMinor: held, overdraftLimitMinor: limit, status: status, version: 7, openedAt: time, lastPostedAt: time)
    }

    private static func batch(_ payer: WalletState, _ shop: WalletState = wallet(shop), holds: [HoldState] = []) -> LedgerBatch {
        LedgerBatch(
            wallets: [payer.id: payer, shop.id: shop], holds: Dictionary(uniqueKeysWithValues: holds.map { ($0.terms.id, $0) }),
            times: PostingTimes(clock: time))
    }

    private static func state(_ amount: Int64, captured: Int64 = 0, secondsLeft: Int64 = 60, status: HoldStatus = .open) -> HoldState {
        HoldState(
            terms: MoneyFixture.newHold(payer, shop, amount), placedBy: "p", placedAt: time,
            expiresAt: Timestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch + secondsLeft * 1_000_000),
            capturedMinor: captured, status: status)
    }

    private static func decide(_ batch: inout LedgerBatch, _ request: PostingRequest) -> Result<LedgerDecision, Refusal> {
        do throws(Refusal) { return .success(try batch.decide(request.order)) } catch { return .failure(error) }
    }

    private static func refusal(_ batch: inout LedgerBatch, _ request: PostingRequest) -> TransferRejection? {
        let before = batch
        guard case .failure(let refusal) = decide(&batch, request) else { return nil }
        // A refusal leaves nothing behind.
        #expect(batch.wallets == before.wallets && batch.holds == before.holds && batch.changedWallets == before.changedWallets)
        return refusal.rejection
    }

    struct Floor: Sendable, CustomTestStringConvertible {
        let balance: Int64
        let held: Int64
        let limit: Int64
        let amount: Int64
        let isPlaced: Bool
        var testDescription: String { "\(amount) of \(balance), held \(held), limit \(limit)" }
    }

    @Test(
        "a hold takes what is available and not a unit more",
        arguments: [
            Floor(balance: 100, held: 0, limit: 0, amount: 100, isPlaced: true),
            Floor(balance: 100, held: 0, limit: 0, amount: 101, isPlaced: false),
            Floor(balance: 100, held: 40, limit: 0, amount: 60, isPlaced: true),
            Floor(balance: 100, held: 40, limit: 0, amount: 61, isPlaced: false),
            Floor(balance: -20, held: 30, limit: 100, amount: 50, isPlaced: true),
            Floor(balance: -20, held: 30, limit: 100, amount: 51, isPlaced: false),
        ])
    func floor(_ row: Floor) {
        var batch = Self.batch(Self.wallet(Self.payer, row.balance, held: row.held, limit: row.limit))
        let request = MoneyFixture.place(MoneyFixture.newHold(Self.payer, Self.shop, row.amount))
        guard row.isPlaced else {
            #expect(Self.refusal(&batch, request) == .insufficientFunds)
            return
        }
        #expect(Self.refusal(&batch, request) == nil)
        #expect(batch.wallets[Self.payer]?.heldMinor == row.held + row.amount && batch.wallets[Self.payer]?.balanceMinor == row.balance)
        #expect(batch.wallets[Self.payer]?.version == 8)
        // What is held is not available to anything else.
        #expect(Self.refusal(&batch, MoneyFixture.transfer(Self.payer, Self.shop, 1)) == .insufficientFunds)
    }

    @Test(
        "what a wallet's state lets through, for holds and captures",
        arguments: [
            (WalletStatus.open, TransferRejection?.none, TransferRejection?.none), (.frozenDebits, .walletFrozen, nil),
            (.frozenAll, .walletFrozen, .walletFrozen), (.closed, .walletClosed, .walletClosed),
        ])
    func states(_ status: WalletStatus, _ asPayer: TransferRejection?, _ asReceiver: TransferRejection?) {
        let hold = Self.state(10)
        for request in [MoneyFixture.place(MoneyFixture.newHold(Self.payer, Self.shop, 5)), MoneyFixture.capture(hold.terms, 5)] {
            var paying = Self.batch(Self.wallet(Self.payer, 100, held: 10, status: status), holds: [hold])
            #expect(Self.refusal(&paying, request) == asPayer)
        }
        var receiving = Self.batch(
            Self.wallet(Self.payer, 100, held: 10), Self.wallet(Self.shop, status: status), holds: [hold])
        #expect(Self.refusal(&receiving, MoneyFixture.capture(hold.terms, 5)) == asReceiver)
        // A void frees the payer's own money, whatever the wallet's state.
        var voided = Self.batch(Self.wallet(Self.payer, 100, held: 10, status: status), holds: [hold])
        #expect(Self.refusal(&voided, MoneyFixture.void(hold.terms)) == nil)
        #expect(voided.wallets[Self.payer]?.heldMinor == 0)
    }

    @Test("captures take parts, the last one or a final one ends the hold, and the rest is released")
    func captures() throws {
        let hold = Self.state(100)
        var batch = Self.batch(Self.wallet(Self.payer, 150, held: 100), holds: [hold])
        #expect(Self.refusal(&batch, MoneyFixture.capture(hold.terms, 101)) == .captureExceedsHold)
        #expect(Self.refusal(&batch, MoneyFixture.capture(hold.terms, 30)) == nil)
        #expect(Self.refusal(&batch, MoneyFixture.capture(hold.terms, 71)) == .captureExceedsHold)
        #expect(batch.wallets[Self.payer]?.balanceMinor == 120 && batch.wallets[Self.payer]?.heldMinor == 70)
        guard case .success(.capture(let posting, let change)) = Self.decide(&batch, MoneyFixture.capture(hold.terms, 50, isFinal: true)) else {
            Issue.record("the final capture is refused")
            return
        }
        #expect(posting.kind == .capture && posting.holdID == hold.terms.id && posting.debit.walletVersion == change.walletVersion)
        #expect(change.capturedMinor == 50 && change.releasedMinor == 20 && change.hold.status == .captured)
        #expect(batch.wallets[Self.payer]?.balanceMinor == 70 && batch.wallets[Self.payer]?.heldMinor == 0)
        #expect(batch.wallets[Self.shop]?.balanceMinor == 80)
        for request in [MoneyFixture.capture(hold.terms, 1), MoneyFixture.capture(hold.terms, nil), MoneyFixture.void(hold.terms)] {
            #expect(Self.refusal(&batch, request) == .holdNotOpen)
        }
    }

    @Test("without an amount a capture takes all that is left")
    func captureAll() {
        let hold = Self.state(100, captured: 40)
        var batch = Self.batch(Self.wallet(Self.payer, 60, held: 60), holds: [hold])
        #expect(Self.refusal(&batch, MoneyFixture.capture(hold.terms, nil)) == nil)
        #expect(batch.wallets[Self.payer]?.balanceMinor == 0 && batch.wallets[Self.shop]?.balanceMinor == 60)
        #expect(batch.holds[hold.terms.id]?.status == .captured)
    }

    @Test("expiry is judged by the batch's time: to the microsecond, and only the ledger ends what has expired", arguments: [0, 1, -5])
    func expiry(secondsLeft: Int64) {
        let hold = Self.state(10, secondsLeft: secondsLeft)
        let isOver = secondsLeft <= 0
        for (request, expected) in [
            (MoneyFixture.capture(hold.terms, 1), isOver ? TransferRejection.holdNotOpen : nil),
            (MoneyFixture.void(hold.terms), isOver ? .holdNotOpen : nil), (MoneyFixture.expire(hold.terms), isOver ? nil : .holdNotOpen),
        ] {
            var batch = Self.batch(Self.wallet(Self.payer, 10, held: 10), holds: [hold])
            #expect(Self.refusal(&batch, request) == expected)
        }
    }

    @Test("what a hold may not name")
    func names() {
        var batch = Self.batch(Self.wallet(Self.payer, 10), Self.wallet(Self.shop, currency: "USD"))
        #expect(Self.refusal(&batch, MoneyFixture.place(MoneyFixture.newHold(Self.payer, Self.payer, 1))) == .sameWallet)
        #expect(Self.refusal(&batch, MoneyFixture.place(MoneyFixture.newHold(Self.payer, Self.shop, 1))) == .currencyMismatch)
        let nobody = WalletID(UUID(high: 0x7001, low: 1))
        #expect(Self.refusal(&batch, MoneyFixture.place(MoneyFixture.newHold(Self.payer, nobody, 1))) == .notFound)
        #expect(Self.refusal(&batch, MoneyFixture.capture(MoneyFixture.newHold(Self.payer, Self.shop, 1), 1)) == .notFound)
        #expect(Self.refusal(&batch, MoneyFixture.void(MoneyFixture.newHold(Self.payer, Self.shop, 1))) == .notFound)
    }

    @Test("an atomic batch is all or nothing, in order, and names the first refusal and its item")
    func atomic() {
        var batch = Self.batch(Self.wallet(Self.payer, 100), Self.wallet(Self.shop))
        func move(_ amount: Int64, back: Bool = false, reference: String? = nil) -> TransferRequest {
            TransferRequest(
                sourceWalletID: back ? Self.shop : Self.payer, destinationWalletID: back ? Self.payer : Self.shop,
                money: MoneyFixture.money(amount), reference: reference)
        }
        let before = batch.wallets
        guard case .failure(let refusal) = Self.decide(&batch, MoneyFixture.atomic([move(60, reference: "r"), move(30), move(11), move(200)]))
        else {
            Issue.record("posted")
            return
        }
        #expect(refusal == Refusal(.insufficientFunds, item: 2) && batch.wallets == before && batch.changedWallets.isEmpty)
        // Money that an earlier item brought may be spent by a later one; the refused batch's reference is free again.
        #expect(Self.refusal(&batch, MoneyFixture.atomic([move(100, reference: "r"), move(100, back: true), move(100)])) == nil)
        #expect(batch.wallets[Self.shop]?.balanceMinor == 100 && batch.wallets[Self.payer]?.version == 10)
        guard case .failure(let second) = Self.decide(&batch, MoneyFixture.atomic([move(1, back: true), move(1, reference: "r")])) else {
            Issue.record("posted")
            return
        }
        #expect(second.rejection == .referenceExists && second.item == 1 && second.conflict != nil)
    }
}
