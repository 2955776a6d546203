import Contracts
import FoundationEssentials
import ServiceDatabase
import TestSupport
import Testing

@testable import WalletLedger

@Suite("The times of a batch")
struct PostingTimesTests {
    private static let clock = Timestamp(microsecondsSinceUnixEpoch: 1_795_000_000_000_000)
    private static let access = WalletAccess.user(MoneyFixture.owner)

    private static func wallet(_ number: UInt64, ahead: Duration = .seconds(-60)) -> WalletState {
        WalletState(
            id: WalletID(UUID(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0000 | number)), ownerID: MoneyFixture.owner, openedBy: "x",
            currency: Currency("EUR")!, balanceMinor: 1_000, version: 1, openedAt: clock.earlier(by: .seconds(3_600)),
            lastPostedAt: clock.later(by: ahead))
    }

    private static func batch(_ wallets: WalletState...) -> LedgerBatch {
        LedgerBatch(wallets: Dictionary(uniqueKeysWithValues: wallets.map { ($0.id, $0) }), times: PostingTimes(clock: clock))
    }

    private static func order(_ source: WalletState, _ destination: WalletState) -> PostingOrder {
        .transfer(
            TransferRequest(sourceWalletID: source.id, destinationWalletID: destination.id, money: MoneyFixture.money(1)),
            id: MoneyFixture.newTransferID(), access: access)
    }

    @Test("a posting's time is the later of the clock and its own two wallets' last times, whoever else is in the batch")
    func strangers() throws {
        let (a, b, c, d) = (Self.wallet(1), Self.wallet(2, ahead: .seconds(3)), Self.wallet(3), Self.wallet(4))
        var batch = Self.batch(a, b, c, d)
        let first = try batch.decide(Self.order(a, b))
        let second = try batch.decide(Self.order(c, d))
        let third = try batch.decide(Self.order(a, c))
        let ahead = Self.clock.later(by: .seconds(3))
        #expect((first.postedAt, first.debit.postedAt, first.credit.postedAt) == (ahead, ahead, ahead))
        #expect((second.postedAt, second.debit.postedAt, second.credit.postedAt) == (Self.clock, Self.clock, Self.clock))
        // Within a wallet it never falls.
        #expect((third.postedAt, third.debit.postedAt, third.credit.postedAt) == (ahead, ahead, ahead))
        #expect(batch.wallets[d.id]?.lastPostedAt == Self.clock)
    }

    @Test("a wallet that is ahead stands still and moves no other wallet's time", arguments: [false, true])
    func ahead(_ pays: Bool) throws {
        let (poisoned, other) = (Self.wallet(1, ahead: .seconds(3_600)), Self.wallet(2))
        var batch = Self.batch(poisoned, other)
        for _ in 0..<3 {
            let posting = try batch.decide(pays ? Self.order(poisoned, other) : Self.order(other, poisoned))
            let (its, others) = pays ? (posting.debit.postedAt, posting.credit.postedAt) : (posting.credit.postedAt, posting.debit.postedAt)
            #expect(posting.postedAt == Self.clock)
            #expect(its == poisoned.lastPostedAt && others == Self.clock)
            #expect(posting.event.postedAt == Self.clock)
        }
        #expect(batch.wallets[poisoned.id]?.lastPostedAt == poisoned.lastPostedAt)
        #expect(batch.wallets[other.id]?.lastPostedAt == Self.clock)
    }

    @Test("the edge of the tolerance is within")
    func edge() {
        let times = PostingTimes(clock: Self.clock)
        let edge = Self.wallet(1, ahead: PostingTimes.tolerance)
        let beyond = Self.wallet(1, ahead: PostingTimes.tolerance + .microseconds(1))
        #expect(!times.isAhead(edge) && times.time(of: edge) == edge.lastPostedAt)
        #expect(times.isAhead(beyond) && times.time(of: beyond) == Self.clock)
        // One reading may be as far ahead as the next is behind.
        #expect(PostingTimes.tolerance == ClockWitness.tolerance * 2)
    }

    @Test("a hold expires by the clock, not by its wallet's last time", arguments: [1, 3_600] as [Int64])
    func holds(_ ahead: Int64) throws {
        let (payer, shop) = (Self.wallet(1, ahead: .seconds(ahead)), Self.wallet(2))
        var batch = Self.batch(payer, shop)
        let terms = HoldTerms(
            id: HoldID(UUID()), walletID: payer.id, destinationWalletID: shop.id, money: MoneyFixture.money(10))
        let decision = try batch.decide(
            .placeHold(PlaceHoldOrder(hold: terms, lastsSeconds: 1_800, eventID: EventID(UUID()), access: Self.access)))
        guard case .hold(let placed) = decision else { return }
        #expect(placed.hold.placedAt == (ahead == 1 ? payer.lastPostedAt : Self.clock))
        #expect(placed.hold.expiresAt == placed.hold.placedAt.later(by: .seconds(1_800)))
        // By the wallet's time it would be over.
        var later = LedgerBatch(
            wallets: [payer.id: Self.wallet(1, ahead: .seconds(7_200)), shop.id: shop], holds: [terms.id: placed.hold],
            times: PostingTimes(clock: placed.hold.expiresAt.earlier(by: .microseconds(1))))
        #expect(throws: Refusal.self) { try later.decide(.endHold(EndHoldOrder(hold: terms, eventID: EventID(UUID()), access: nil))) }
    }
}
