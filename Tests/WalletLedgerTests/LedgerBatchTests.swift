import Contracts
import Foundation
import HTTPService
import Idempotency
import StrictJSON
import Testing

@testable import WalletLedger

/// What a batch decides, without a database: each rule with the case that just passes and the one that just does not.
@Suite("The ledger's decisions")
struct LedgerBatchTests {
    private static let owner = MoneyFixture.owner
    private static let time = Timestamp(microsecondsSinceUnixEpoch: 1_795_000_000_000_000)
    private static let source = WalletID(UUID(high: 0x0193_92d0_0000_7000, low: 0x8000_0000_0000_0010))
    private static let destination = WalletID(UUID(high: 0x0193_92d0_0000_7000, low: 0x8000_0000_0000_0020))
    private static let most = Int64(9_007_199_254_740_991)

    private static func wallet(
        _ id: WalletID, _ balance: Int64 = 0, held: Int64 = 0, limit: Int64 = 0, status: WalletStatus = .open, currency: String = "EUR",
        ownerID: UserID? = owner, openedBy: String = "client:bank", isWorld: Bool = false
    ) -> WalletState {
        WalletState(
            id: id, ownerID: ownerID, openedBy: openedBy, currency: Currency(currency)!, isWorld: isWorld, balanceMinor: balance,
            heldMinor: held, overdraftLimitMinor: limit, status: status, version: 7, openedAt: time, lastPostedAt: time)
    }

    private static func batch(_ wallets: WalletState...) -> LedgerBatch {
        let world = WorldWallet.all(of: Currency("EUR")!).map { wallet($0, ownerID: nil, openedBy: WorldWallet.opener, isWorld: true) }
        return LedgerBatch(wallets: Dictionary(uniqueKeysWithValues: (wallets + world).map { ($0.id, $0) }), times: PostingTimes(clock: time))
    }

    private static func transfer(
        _ amount: Int64, from: WalletID = source, to: WalletID = destination, reference: String? = nil, access: WalletAccess = .user(owner)
    ) -> PostingOrder {
        .transfer(
            TransferRequest(sourceWalletID: from, destinationWalletID: to, money: MoneyFixture.money(amount), reference: reference),
            id: MoneyFixture.newTransferID(), access: access)
    }

    private static func refund(of original: Posting, _ amount: Int64?, access: WalletAccess = .staff("usr_s")) -> PostingOrder {
        .refund(
            RefundRequest(money: amount.map(MoneyFixture.money)),
            of: OriginalTransfer(
                id: original.transferID, kind: original.kind, money: original.money, sourceWalletID: original.debit.walletID,
                destinationWalletID: original.credit.walletID),
            id: MoneyFixture.newTransferID(), access: access)
    }

    struct Floor: Sendable, CustomTestStringConvertible {
        let balance: Int64
        let held: Int64
        let limit: Int64
        let amount: Int64
        let refusal: TransferRejection?
        var testDescription: String { "\(amount) of \(balance), held \(held), limit \(limit)" }
    }

    @Test(
        "a wallet pays down to its floor and not a unit further",
        arguments: [
            Floor(balance: 100, held: 0, limit: 0, amount: 100, refusal: nil),
            Floor(balance: 100, held: 0, limit: 0, amount: 101, refusal: .insufficientFunds),
            Floor(balance: 100, held: 40, limit: 0, amount: 60, refusal: nil),
            Floor(balance: 100, held: 40, limit: 0, amount: 61, refusal: .insufficientFunds),
            Floor(balance: 100, held: 0, limit: 50, amount: 150, refusal: nil),
            Floor(balance: 100, held: 0, limit: 50, amount: 151, refusal: .insufficientFunds),
            Floor(balance: -most, held: 0, limit: most, amount: 1, refusal: .balanceOutOfRange),
        ])
    func floor(_ row: Floor) throws {
        var batch = Self.batch(
            Self.wallet(Self.source, row.balance, held: row.held, limit: row.limit), Self.wallet(Self.destination))
        let before = batch.wallets
        if let refusal = row.refusal {
            #expect(throws: refusal) { try batch.decide(Self.transfer(row.amount)) }
            #expect(batch.wallets == before && batch.changedWallets.isEmpty)
        } else {
            let posting = try batch.decide(Self.transfer(row.amount))
            #expect(posting.debit.balanceAfterMinor == row.balance - row.amount && posting.credit.balanceAfterMinor == row.amount)
            #expect(posting.debit.walletVersion == 8 && posting.credit.walletVersion == 8)
            #expect(posting.debit.amountMinor + posting.credit.amountMinor == 0)
        }
    }

    @Test("a credit beyond the range of balances is refused and takes nothing from the payer")
    func overflow() throws {
        var batch = Self.batch(Self.wallet(Self.source, 10), Self.wallet(Self.destination, Self.most - 1))
        #expect(throws: TransferRejection.balanceOutOfRange) { try batch.decide(Self.transfer(2)) }
        #expect(batch.wallets[Self.source]?.balanceMinor == 10)
        #expect(try batch.decide(Self.transfer(1)).credit.balanceAfterMinor == Self.most)
    }

    @Test(
        "what a wallet's state lets through, as payer and as receiver",
        arguments: [
            (WalletStatus.open, TransferRejection?.none, TransferRejection?.none), (.frozenDebits, .walletFrozen, nil),
            (.frozenAll, .walletFrozen, .walletFrozen), (.closed, .walletClosed, .walletClosed),
        ])
    func states(_ status: WalletStatus, _ asPayer: TransferRejection?, _ asReceiver: TransferRejection?) {
        var paying = Self.batch(Self.wallet(Self.source, 10, status: status), Self.wallet(Self.destination))
        #expect(Self.refusal(&paying, Self.transfer(1)) == asPayer)
        var receiving = Self.batch(Self.wallet(Self.source, 10), Self.wallet(Self.destination, status: status))
        #expect(Self.refusal(&receiving, Self.transfer(1)) == asReceiver)
    }

    @Test("what a transfer may not name")
    func names() {
        var batch = Self.batch(Self.wallet(Self.source, 10), Self.wallet(Self.destination, currency: "USD"))
        let stranger = UserID(UUID(high: 0x0193_92d0_0000_7000, low: 0x8000_0000_0000_0002))
        let world = WorldWallet.opposite(Self.source, currency: Currency("EUR")!)
        #expect(Self.refusal(&batch, Self.transfer(1, to: Self.source)) == .sameWallet)
        #expect(Self.refusal(&batch, Self.transfer(1)) == .currencyMismatch)
        #expect(Self.refusal(&batch, Self.transfer(1, access: .user(stranger))) == .notFound)
        #expect(Self.refusal(&batch, Self.transfer(1, access: .client("other"))) == .notFound)
        #expect(Self.refusal(&batch, Self.transfer(1, from: world, to: Self.source, access: .staff("usr_s"))) == .notFound)
        #expect(Self.refusal(&batch, Self.transfer(1, to: world, access: .staff("usr_s"))) == .notFound)
        #expect(Self.refusal(&batch, Self.transfer(1, to: WalletID(UUID(high: 0x7001, low: 1)))) == .notFound)
    }

    @Test("a refund goes back the way the money came, never beyond the original, and is not refunded itself")
    func refunds() throws {
        var batch = Self.batch(Self.wallet(Self.source, 100), Self.wallet(Self.destination))
        let original = try batch.decide(Self.transfer(100))
        let first = try batch.decide(Self.refund(of: original, 60))
        #expect(first.debit.walletID == Self.destination && first.credit.walletID == Self.source && first.kind == .refund)
        #expect(Self.refusal(&batch, Self.refund(of: original, 41)) == .refundExceedsOriginal)
        #expect(Self.refusal(&batch, Self.refund(of: original, nil)) == .refundExceedsOriginal)
        #expect(Self.refusal(&batch, Self.refund(of: first, 1)) == .refundExceedsOriginal)
        _ = try batch.decide(Self.refund(of: original, 40))
        #expect(batch.refunded[original.transferID] == 100)
        #expect(Self.refusal(&batch, Self.refund(of: original, 1)) == .refundExceedsOriginal)
        #expect(batch.wallets[Self.source]?.balanceMinor == 100)
    }

    @Test("a refused refund is not counted: what the receiver lacks now it may return later")
    func refusedRefund() throws {
        var batch = Self.batch(Self.wallet(Self.source, 100), Self.wallet(Self.destination))
        let original = try batch.decide(Self.transfer(100))
        _ = try batch.decide(
            .withdrawal(
                FundingRequest(walletID: Self.destination, money: MoneyFixture.money(1)),
                id: MoneyFixture.newTransferID(), access: .client("bank")))
        #expect(Self.refusal(&batch, Self.refund(of: original, 100)) == .insufficientFunds)
        #expect(batch.refunded[original.transferID] ?? 0 == 0)
        #expect(try batch.decide(Self.refund(of: original, 99)).money.amountMinor == 99)
    }

    @Test("a reference is taken by the first posting of its principal, not by a refused one and not by another's")
    func references() throws {
        var batch = Self.batch(Self.wallet(Self.source, 100), Self.wallet(Self.destination))
        #expect(Self.refusal(&batch, Self.transfer(101, reference: "r")) == .insufficientFunds)
        let first = try batch.decide(Self.transfer(1, reference: "r"))
        let second = Self.transfer(1, reference: "r")
        #expect(Self.refusal(&batch, second) == .referenceExists)
        #expect(batch.holder(ofReferenceOf: second) == first.transferID)
        _ = try batch.decide(Self.transfer(1, reference: "r", access: .client("bank")))
    }

    @Test("every wallet of the world is one of its currency's sixteen, and a customer's wallet is none")
    func world() {
        let euro = WorldWallet.all(of: Currency("EUR")!)
        #expect(Set(euro).count == 16 && euro.allSatisfy(\.isWorld))
        #expect(Set(euro).isDisjoint(with: WorldWallet.all(of: Currency("USD")!)))
        #expect(euro.contains(WorldWallet.opposite(Self.source, currency: Currency("EUR")!)))
        #expect(!Self.source.isWorld)
    }

    @Test("changes of state: closed is final, closing needs an empty wallet, a limit in use stays")
    func changes() throws {
        let euro = Currency("EUR")!
        #expect(throws: TransferRejection.balanceNotZero) { try WalletChange.close.applied(to: Self.wallet(Self.source, 1)) }
        #expect(throws: TransferRejection.balanceNotZero) { try WalletChange.close.applied(to: Self.wallet(Self.source, 0, held: 1)) }
        let closed = try WalletChange.close.applied(to: Self.wallet(Self.source))
        #expect(closed.status == .closed && closed.version == 8)
        for change in [WalletChange.freeze(.all), .freeze(.debits), .unfreeze, .close, .setOverdraftLimit(1, euro)] {
            #expect(throws: TransferRejection.walletClosed) { try change.applied(to: closed) }
        }
        let overdrawn = Self.wallet(Self.source, -50, limit: 100)
        #expect(throws: TransferRejection.overdraftInUse) { try WalletChange.setOverdraftLimit(49, euro).applied(to: overdrawn) }
        #expect(throws: TransferRejection.currencyMismatch) {
            try WalletChange.setOverdraftLimit(50, Currency("USD")!).applied(to: overdrawn)
        }
        #expect(try WalletChange.setOverdraftLimit(50, euro).applied(to: overdrawn).overdraftLimitMinor == 50)
    }

    private static func refusal(_ batch: inout LedgerBatch, _ order: PostingOrder) -> TransferRejection? {
        do throws(TransferRejection) {
            _ = try batch.decide(order)
            return nil
        } catch {
            return error
        }
    }
}
