import Contracts
import TestSupport

/// Payloads of every type with values from the whole of their ranges.
struct GeneratedEvents {
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    static let typeNames = EventCatalogue.entries.map(\.type)

    /// A payload of that type of the catalogue.
    mutating func payload(_ type: String) -> any EventPayload {
        if let wallet = WalletEventType(rawValue: type) {
            switch wallet {
            case .opened: return opened()
            case .statusChanged: return change()
            }
        }
        if let transfer = TransferEventType(rawValue: type) {
            return self.transfer(PostingKind.allCases.filter { ($0 == .refund) == (transfer == .refunded) })
        }
        if let hold = HoldEventType(rawValue: type) {
            switch hold {
            case .placed: return self.hold(.placed)
            case .captured: return self.hold(.captured)
            case .voided: return self.hold(.voided)
            case .expired: return self.hold(.expired)
            }
        }
        if MessageEventType(rawValue: type) != nil { return message() }
        if let risk = RiskEventType(rawValue: type) { return risk == .alertRaised ? raised() : resolved() }
        return identityPayload(type)
    }

    mutating func envelope(_ type: String) throws -> EventEnvelope {
        try envelope(payload(type))
    }

    private mutating func envelope(_ payload: some EventPayload) throws -> EventEnvelope {
        let trace: String? = flip() ? "00-\(hexadecimal(32))-\(hexadecimal(16))-0\(flip() ? 1 : 0)" : nil
        return try EventEnvelope(payload, id: id(), time: time(), traceparent: trace)
    }

    private mutating func flip() -> Bool { Bool.random(using: &random) }

    private mutating func maybe<Value>(_ value: (inout Self) -> Value) -> Value? { flip() ? value(&self) : nil }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }

    private mutating func id<Kind>() -> PrefixedID<Kind> { .new(milliseconds: .random(in: 0..<(1 << 48), using: &random), using: &random) }

    private mutating func hexadecimal(_ count: Int) -> String {
        String((0..<count).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }

    /// The wire shows milliseconds.
    private mutating func time() -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &random) * 1_000)
    }

    /// Both ends of the range come up too.
    private mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: range.lowerBound
        case 1: range.upperBound
        default: Int64.random(in: range, using: &random)
        }
    }

    private mutating func amount() -> Int64 { number(0...MinorUnits.maximum) }
    private mutating func balance() -> Int64 { number(-MinorUnits.maximum...MinorUnits.maximum) }
    private mutating func version() -> Int64 { number(1...MinorUnits.maximum) }

    private mutating func money() -> Money {
        Money(amountMinor: number(1...MinorUnits.maximum), currency: pick(Currency.all))!
    }

    private mutating func text() -> String {
        let characters = Array("aZ09 \"\\/{}[]:,é€😀\u{85}\u{2028}'<&")
        return String((0..<Int.random(in: 1...60, using: &random)).map { _ in pick(characters) })
    }

    private mutating func opened() -> WalletOpenedEvent {
        WalletOpenedEvent(walletID: id(), ownerID: maybe { $0.id() }, openedBy: text(), currency: pick(Currency.all), openedAt: time())
    }

    private mutating func change() -> WalletStatusChangedEvent {
        WalletStatusChangedEvent(
            walletID: id(), kind: pick(WalletChangeKind.allCases), status: pick(WalletStatus.allCases), overdraftLimitMinor: amount(),
            version: version(), reason: text(), changedAt: time())
    }

    private mutating func transfer(_ kinds: [PostingKind]) -> TransferPostedEvent {
        let kind = pick(kinds)
        let money = money()
        return TransferPostedEvent(
            transferID: id(), kind: kind, money: money, originalTransferID: kind == .refund ? id() : nil,
            holdID: kind == .capture ? id() : nil, reference: maybe { $0.text() }, postedAt: time(),
            legs: [
                TransferLeg(walletID: id(), walletVersion: version(), amountMinor: -money.amountMinor, balanceAfterMinor: maybe { $0.balance() }),
                TransferLeg(walletID: id(), walletVersion: version(), amountMinor: money.amountMinor, balanceAfterMinor: maybe { $0.balance() }),
            ])
    }

    private mutating func hold(_ kind: HoldChangeKind) -> HoldChangedEvent {
        HoldChangedEvent(
            kind: kind, holdID: id(), walletID: id(), walletVersion: version(), destinationWalletID: id(), money: money(),
            status: pick(HoldStatus.allCases), capturedMinor: amount(), releasedMinor: amount(), remainingMinor: amount(),
            walletHeldMinor: amount(), transferID: kind == .captured ? id() : nil, expiresAt: time(), changedAt: time())
    }

    private mutating func raised() -> RiskAlertRaisedEvent {
        let finding: RiskFinding =
            flip()
            ? .highValue(thresholdMinor: number(1...MinorUnits.maximum))
            : .velocity(count: version(), limit: amount(), windowSeconds: version())
        return RiskAlertRaisedEvent(
            alertID: id(), finding: finding, walletID: id(), transferID: id(), money: money(), occurredAt: time(), raisedAt: time())
    }

    private mutating func resolved() -> RiskAlertResolvedEvent {
        RiskAlertResolvedEvent(
            alertID: id(), rule: pick(RiskRule.allCases), walletID: id(), resolution: pick(RiskResolution.allCases),
            resolvedBy: maybe { $0.text() }, resolvedAt: time())
    }

    private mutating func identityPayload(_ type: String) -> any EventPayload {
        if let account = AccountEventType(rawValue: type) {
            switch account {
            case .registered: return UserRegisteredEvent(userID: id(), registeredAt: time())
            case .recovered: return AccountRecoveredEvent(userID: id(), isMultiFactor: flip(), recoveredAt: time())
            }
        }
        if let credential = CredentialEventType(rawValue: type) {
            switch credential {
            case .mfaChanged: return MFAChangedEvent(userID: id(), kind: pick(MFAChangeKind.allCases), changedAt: time())
            case .signInFailed:
                return SignInFailedEvent(userID: id(), factor: pick(SignInFactor.allCases), isBlocked: flip(), failedAt: time())
            }
        }
        guard SessionEventType(rawValue: type) == .started else {
            return SessionRevokedEvent(
                sessionID: id(), userID: id(), reason: pick(SessionEndReason.allCases), revokedAt: time(), tokensExpireAt: time())
        }
        return SessionStartedEvent(
            sessionID: id(), userID: id(), deviceID: id(), isNewDevice: flip(), isMultiFactor: flip(), startedAt: time())
    }

    private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }

    private mutating func message() -> MessageRequestedEvent {
        let count = Int(number(Int64(SealedText.ciphertextBytes.lowerBound)...200))
        return MessageRequestedEvent(
            messageID: id(), purpose: pick(MessagePurpose.allCases), userID: maybe { $0.id() }, locale: pick(["en", "de", "pt-BR", "zh-Hant-TW"]),
            expiresAt: maybe { $0.time() },
            sealed: SealedText(
                keyID: pick(["2026-11", "local"]), encapsulatedKey: bytes(SealedText.encapsulatedKeyBytes), ciphertext: bytes(count)))
    }
}
