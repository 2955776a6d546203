import Contracts
import Foundation
import HTTPService
import Idempotency
import Postgres
import StrictJSON

@testable import WalletLedger

extension MoneyFixture {
    static let holder = WalletAccess.user(owner)

    private static func newEvent() -> EventID {
        var random = SystemRandomNumberGenerator()
        return .new(milliseconds: 1_795_000_000_000, using: &random)
    }

    static func newHold(_ source: WalletID, _ destination: WalletID, _ amount: Int64) -> HoldTerms {
        var random = SystemRandomNumberGenerator()
        return HoldTerms(
            id: .new(milliseconds: 1_795_000_000_000, using: &random), walletID: source, destinationWalletID: destination,
            money: money(amount))
    }

    static func place(_ hold: HoldTerms, seconds: Int64 = 3_600, key: String = UUID().uuidString) -> PostingRequest {
        request(
            .placeHold(PlaceHoldOrder(hold: hold, lastsSeconds: seconds, eventID: newEvent(), access: holder)), key,
            .placement(
                PlaceHoldRequest(
                    sourceWalletID: hold.walletID, destinationWalletID: hold.destinationWalletID, money: hold.money, expiresInSeconds: seconds)))
    }

    static func capture(
        _ hold: HoldTerms, _ amount: Int64?, isFinal: Bool = false, reference: String? = nil, key: String = UUID().uuidString
    ) -> PostingRequest {
        let order = CaptureOrder(
            hold: hold, money: amount.map(money), isFinal: isFinal, reference: reference, transferID: newTransferID(), eventID: newEvent(),
            access: holder)
        return request(
            .capture(order), key,
            .capture(of: hold.id, order.money, isFinal: isFinal, reference: reference))
    }

    static func void(_ hold: HoldTerms, key: String = UUID().uuidString) -> PostingRequest {
        request(.endHold(EndHoldOrder(hold: hold, eventID: newEvent(), access: holder)), key, .void(of: hold.id))
    }

    /// As the ledger orders it by itself.
    static func expire(_ hold: HoldTerms) -> PostingRequest {
        PostingRequest(
            order: .endHold(EndHoldOrder(hold: hold, eventID: newEvent(), access: nil)), key: nil, fingerprint: RequestFingerprint(stored: ""),
            requestID: "expiry")
    }

    static func atomic(_ transfers: [TransferRequest], key: String = UUID().uuidString) -> PostingRequest {
        var random = SystemRandomNumberGenerator()
        let first = TransferID.newBatch(milliseconds: 1_795_000_000_000, using: &random)
        return request(
            .atomic(transfers.enumerated().map { .transfer($1, id: first.batchItem($0), access: holder) }), key,
            .atomicBatch(transfers))
    }

    private static func request(_ order: LedgerOrder, _ key: String, _ fingerprint: RequestFingerprint) -> PostingRequest {
        PostingRequest(
            order: order, key: Self.key(key, principal: holder.principal), fingerprint: fingerprint, requestID: UUID().uuidString)
    }

    func held(_ id: WalletID) async throws -> Int64 {
        try await pool.withSession { session in try WalletStore().wallet(session, id)?.heldMinor ?? .min }
    }

    func hold(_ id: HoldID) async throws -> HoldState? {
        try await pool.withSession { session in try HoldStore().hold(session, id) }
    }
}

extension PostingOutcome {
    /// What the outcome is, in a word.
    var word: String {
        switch self {
        case .posted: "posted"
        case .batchPosted: "batch"
        case .holdPlaced: "placed"
        case .holdCaptured: "captured"
        case .holdEnded(let body, _): body.status.rawValue
        case .refused(let refusal, _, _): refusal.rejection.rawValue
        case .keyReused: "key_reused"
        case .failed: "failed"
        }
    }
}
