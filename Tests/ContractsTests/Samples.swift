import Contracts
import Foundation

/// Values of the wire types. Times are whole milliseconds, as the wire shows them.
enum Samples {
    static let wallet = WalletID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0001))
    static let other = WalletID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0002))
    static let owner = UserID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0003))
    static let transferID = TransferID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0010))
    static let refundID = TransferID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0020))
    static let eventID = EventID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0030))
    static let time = Timestamp(microsecondsSinceUnixEpoch: 1_763_700_000_123_000)
    static let messageID = MessageID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0060))
    static let sealed = SealedText(keyID: "2026-11", encapsulatedKey: Array(0..<32), ciphertext: Array(64..<112))
    static let recoveryMessage = MessageRequestedEvent(
        messageID: messageID, purpose: .recoveryCodeMail, userID: owner, locale: "de-CH", expiresAt: time, sealed: sealed)
    static let strangerMessage = MessageRequestedEvent(
        messageID: messageID, purpose: .addressTaken, userID: nil, locale: "en", expiresAt: nil, sealed: sealed)
    static let euro = Currency("EUR")!
    static let money = Money(amountMinor: 1_250, currency: euro)!

    static let balance = BalanceBody(walletID: wallet, currency: euro, balanceMinor: 8_750, heldMinor: 250, version: 7)
    static let pastBalance = PastBalanceBody(walletID: wallet, currency: euro, at: time, balanceMinor: 8_750, version: 7)
    static let statement = StatementBody(
        walletID: wallet, currency: euro, from: time, to: time, openingBalanceMinor: 10_000, totalCreditsMinor: 0, totalDebitsMinor: 1_250,
        closingBalanceMinor: 8_750, page: PageBody(items: [entry], nextCursor: nil))
    static let openedBody = WalletOpenedBody(id: wallet, ownerID: owner, openedBy: "client:demo", currency: euro, openedAt: time)
    static let opened = WalletOpenedEvent(walletID: wallet, ownerID: owner, openedBy: "client:demo", currency: euro, openedAt: time)
    static let unownedBody = WalletOpenedBody(id: wallet, ownerID: nil, openedBy: "client:demo", currency: euro, openedAt: time)
    static let unownedWallet = WalletBody(
        id: wallet, ownerID: nil, openedBy: "client:demo", status: .closed, balance: balance, overdraftLimitMinor: 100, openedAt: time)
    static let walletBody = WalletBody(
        id: wallet, ownerID: owner, openedBy: "client:demo", status: .open, balance: balance, overdraftLimitMinor: 0, openedAt: time)
    static let changeBody = WalletChangeBody(
        walletID: wallet, kind: .frozen, status: .frozenDebits, overdraftLimitMinor: 0, version: 8, reason: "r", changedAt: time)
    static let change = WalletStatusChangedEvent(
        walletID: wallet, kind: .frozen, status: .frozenDebits, overdraftLimitMinor: 0, version: 8, reason: "r", changedAt: time)
    static let entryID = EntryID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0041))
    static let entry = EntryBody(
        id: entryID, transferID: transferID, walletID: wallet, walletVersion: 7, amountMinor: -1_250,
        balanceAfterMinor: 8_750, postedAt: time)
    static let transfer = TransferBody(
        id: refundID, kind: .refund, money: money, sourceWalletID: wallet, destinationWalletID: other, originalTransferID: transferID,
        reference: "r", postedAt: time, entries: [entry])
    static let bareTransfer = TransferBody(
        id: transferID, kind: .deposit, money: money, sourceWalletID: nil, destinationWalletID: nil, originalTransferID: nil, reference: nil,
        postedAt: time, entries: [])

    static let holdID = HoldID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0040))
    static let hold = HoldBody(
        id: holdID, sourceWalletID: wallet, destinationWalletID: other, money: money, status: .open, capturedMinor: 0, remainingMinor: 1_250,
        placedAt: time, expiresAt: time)
    static let captured = HoldCapturedBody(
        holdID: holdID, status: .captured, capturedMinor: 1_000, remainingMinor: 0, releasedMinor: 250, transfer: captureTransfer)
    static let captureTransfer = TransferBody(
        id: transferID, kind: .capture, money: money, sourceWalletID: wallet, destinationWalletID: other, originalTransferID: transferID,
        holdID: holdID, reference: "r", postedAt: time, entries: [entry])
    static let voided = HoldVoidedBody(
        holdID: holdID, status: .voided, capturedMinor: 0, releasedMinor: 1_250, walletID: wallet, walletVersion: 9, endedAt: time)
    static let batch = TransferBatchBody(mode: .independent, results: [.posted(transferID), .problem(Problem(.insufficientFunds))])

    static func held(
        _ kind: HoldChangeKind, _ status: HoldStatus, captured: Int64 = 0, released: Int64 = 0, remaining: Int64 = 0,
        transfer: TransferID? = nil
    ) -> HoldChangedEvent {
        HoldChangedEvent(
            kind: kind, holdID: holdID, walletID: wallet, walletVersion: 8, destinationWalletID: other, money: money, status: status,
            capturedMinor: captured, releasedMinor: released, remainingMinor: remaining, walletHeldMinor: remaining, transferID: transfer,
            expiresAt: time, changedAt: time)
    }

    static let posted = TransferPostedEvent(
        transferID: transferID, kind: .transfer, money: money, originalTransferID: nil, reference: "invoice \"7\"", postedAt: time,
        legs: [
            TransferLeg(walletID: wallet, walletVersion: 7, amountMinor: -1_250, balanceAfterMinor: 8_750),
            TransferLeg(walletID: other, walletVersion: 3, amountMinor: 1_250, balanceAfterMinor: 1_250),
        ])
    static let refunded = TransferPostedEvent(
        transferID: refundID, kind: .refund, money: money, originalTransferID: transferID, reference: nil, postedAt: time,
        legs: [
            TransferLeg(walletID: other, walletVersion: 4, amountMinor: -1_250, balanceAfterMinor: 0),
            TransferLeg(walletID: wallet, walletVersion: 8, amountMinor: 1_250, balanceAfterMinor: 10_000),
        ])
    static let captureMoved = TransferPostedEvent(
        transferID: transferID, kind: .capture, money: money, originalTransferID: nil, holdID: holdID, reference: nil, postedAt: time,
        legs: posted.legs)
    static let unowned = WalletOpenedEvent(walletID: wallet, ownerID: nil, openedBy: "client:demo", currency: euro, openedAt: time)

    static let alertID = AlertID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0050))
    static let highValue = raised(.highValue(thresholdMinor: 1_000))
    static let velocity = raised(.velocity(count: 11, limit: 10, windowSeconds: 60))
    static let resolved = RiskAlertResolvedEvent(
        alertID: alertID, rule: .highValue, walletID: wallet, resolution: .falsePositive, resolvedBy: owner.description, resolvedAt: time)
    static let alert = RiskAlertBody(
        id: alertID, finding: .velocity(count: 11, limit: 10, windowSeconds: 60), walletID: wallet, transferID: transferID, money: money,
        occurredAt: time, raisedAt: time,
        resolution: RiskAlertResolutionBody(resolution: .confirmed, note: "n", resolvedBy: owner.description, resolvedAt: time))
    static let openAlert = RiskAlertBody(
        id: alertID, finding: .highValue(thresholdMinor: 1_000), walletID: wallet, transferID: transferID, money: money, occurredAt: time,
        raisedAt: time, resolution: nil)

    static let sessionID = SessionID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0060))
    static let deviceID = DeviceID(UUID(high: 0x0193_5a00_0000_7000, low: 0x8000_0000_0000_0061))
    static let registered = UserRegisteredEvent(userID: owner, registeredAt: time)
    static let recovered = AccountRecoveredEvent(userID: owner, isMultiFactor: true, recoveredAt: time)
    static let mfaChanged = MFAChangedEvent(userID: owner, kind: .totpEnrolled, changedAt: time)
    static let signInFailed = SignInFailedEvent(userID: owner, factor: .password, isBlocked: false, failedAt: time)
    static let sessionStarted = SessionStartedEvent(
        sessionID: sessionID, userID: owner, deviceID: deviceID, isNewDevice: true, isMultiFactor: false, startedAt: time)
    static let sessionRevoked = SessionRevokedEvent(
        sessionID: sessionID, userID: owner, reason: .endedByUser, revokedAt: time,
        tokensExpireAt: Timestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch + 300_000_000))

    private static func raised(_ finding: RiskFinding) -> RiskAlertRaisedEvent {
        RiskAlertRaisedEvent(
            alertID: alertID, finding: finding, walletID: wallet, transferID: transferID, money: money, occurredAt: time, raisedAt: time)
    }
}
