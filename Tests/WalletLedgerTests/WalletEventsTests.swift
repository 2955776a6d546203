import Contracts
import FoundationEssentials
import Idempotency
import Observability
import Testing

@testable import WalletLedger

/// What a use case makes of what it was asked, and of what it answers, without a database.
@Suite("Events from answers, fingerprints from requests")
struct WalletEventsTests {
    private static let wallet = WalletID(UUID(uuidString: "01935A00-0000-7000-8000-000000000001")!)
    private static let other = WalletID(UUID(uuidString: "01935A00-0000-7000-8000-000000000002")!)
    private static let owner = UserID(UUID(uuidString: "01935A00-0000-7000-8000-000000000003")!)
    private static let euro = Currency("EUR")!

    @Test("the events of a wallet say what its answers say", arguments: WalletChangeKind.allCases)
    func events(kind: WalletChangeKind) throws {
        let time = Timestamp.now()
        let opened = WalletOpenedBody(id: Self.wallet, ownerID: Self.owner, openedBy: "client:demo", currency: Self.euro, openedAt: time)
        let opening = WalletOpenedEvent(walletID: Self.wallet, ownerID: Self.owner, openedBy: "client:demo", currency: Self.euro, openedAt: time)
        #expect(WalletOpenedEvent(opened) == opening)
        let change = WalletChangeBody(
            walletID: Self.wallet, kind: kind, status: .frozenAll, overdraftLimitMinor: 5, version: 8, reason: "r", changedAt: time)
        let changed = WalletStatusChangedEvent(
            walletID: Self.wallet, kind: kind, status: .frozenAll, overdraftLimitMinor: 5, version: 8, reason: "r", changedAt: time)
        #expect(WalletStatusChangedEvent(change) == changed)
    }

    @Test("an item of a batch has the fingerprint of a transfer of its own, so that one key does both once")
    func itemAndTransfer() throws {
        let text = #"{"source_wallet_id":"\#(Self.wallet)","destination_wallet_id":"\#(Self.other)","amount":7,"currency":"EUR"}"#
        let request = try TransferRequest(wireBytes: Array(text.utf8))
        let fingerprint = RequestFingerprint.transfer(request)
        #expect(RequestFingerprint.transfer(.known(request)) == fingerprint)
        #expect(fingerprint.text.string == #"{"route":"POST /v1/transfers",\#(text.dropFirst())"#)
    }
}
