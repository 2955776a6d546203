import Contracts
import Testing

/// A type of a body, the schemas that describe it, and values that together fill each of its members and leave each optional one out.
struct WireType: Sendable, CustomTestStringConvertible {
    let values: [any WireCodable]
    let schemas: [String]
    let type: any WireCodable.Type

    init<Value: WireCodable>(_ schemas: String..., values: Value...) {
        self.values = values
        self.schemas = schemas
        type = Value.self
    }

    /// `PageBody` of a `PageBody<EntryBody>`.
    var name: String { String("\(type)".prefix { $0 != "<" }) }

    var testDescription: String { "\(type)" }

    /// Every body of every service; ``WireTypeTests`` compares it with the sources.
    static let all: [WireType] =
        requests + bodies + accounts + sessions + credentials + oauth + [
            WireType(
                "Problem",
                values: Problem(.notFound),
                Problem(.unknownField, detail: "d", instance: "i", errors: [FieldError(pointer: "/a~1b", detail: "Unknown field.")])),
            WireType("FieldError", values: FieldError(pointer: "/a", detail: "d")),
        ]

    private static let transfer = TransferRequest(
        sourceWalletID: Samples.wallet, destinationWalletID: Samples.other, money: Samples.money, reference: "é \"7\"")
    private static let plainTransfer = TransferRequest(
        sourceWalletID: Samples.other, destinationWalletID: Samples.wallet, money: Samples.money)

    private static let requests = [
        WireType(
            "OpenWalletRequest",
            values: OpenWalletRequest(ownerID: Samples.owner, currency: Samples.euro), OpenWalletRequest(ownerID: nil, currency: Samples.euro)),
        WireType("TransferRequest", values: transfer, plainTransfer),
        WireType(
            "FundingRequest",
            values: FundingRequest(walletID: Samples.wallet, money: Samples.money, reference: "r"),
            FundingRequest(walletID: Samples.wallet, money: Samples.money)),
        WireType("RefundRequest", values: RefundRequest(money: Samples.money, reference: "r"), RefundRequest()),
        WireType("FreezeWalletRequest", values: FreezeWalletRequest(block: .debits, reason: "r")),
        WireType("ReasonRequest", values: ReasonRequest(reason: "r")),
        WireType("OverdraftLimitRequest", values: OverdraftLimitRequest(limitMinor: 1, currency: Samples.euro, reason: "r")),
        WireType("TransferBatchRequest", values: TransferBatchRequest.atomic([transfer]), .independent([.known(transfer), .known(plainTransfer)])),
        WireType(
            "BatchTransfer",
            values: IndependentTransferRequest.known(transfer),
            .ofUnknownWallet(source: "nobody", destination: "\(Samples.other)", Samples.money, reference: "r"),
            .ofUnknownWallet(source: "\(Samples.wallet)", destination: "", Samples.money, reference: nil)),
        WireType(
            "PlaceHoldRequest",
            values: PlaceHoldRequest(
                sourceWalletID: Samples.wallet, destinationWalletID: Samples.other, money: Samples.money, expiresInSeconds: 60)),
        WireType(
            "CaptureHoldRequest",
            values: CaptureHoldRequest(money: Samples.money, isFinal: true, reference: "r"), CaptureHoldRequest(isFinal: true)),
        WireType("VoidHoldRequest", values: VoidHoldRequest()),
        WireType(
            "ResolveRiskAlertRequest",
            values: ResolveRiskAlertRequest(resolution: .confirmed, note: "n"), ResolveRiskAlertRequest(resolution: .falsePositive)),
    ]

    private static let bodies = [
        WireType("WalletOpened", values: Samples.openedBody, Samples.unownedBody),
        WireType("Wallet", values: Samples.walletBody, Samples.unownedWallet),
        WireType("Balance", values: Samples.balance),
        WireType("PastBalance", values: Samples.pastBalance),
        WireType("WalletChange", values: Samples.changeBody),
        WireType("Entry", values: Samples.entry),
        WireType("Transfer", values: Samples.transfer, Samples.captureTransfer, Samples.bareTransfer),
        WireType("Statement", values: Samples.statement),
        WireType("Hold", values: Samples.hold),
        WireType("HoldCaptured", values: Samples.captured),
        WireType("HoldVoided", values: Samples.voided),
        WireType("TransferBatchItem", values: TransferBatchItemBody.posted(Samples.transferID), .problem(Problem(.insufficientFunds))),
        WireType("TransferBatch", values: Samples.batch),
        WireType("RiskAlert", values: Samples.alert, Samples.openAlert),
        page("EntryPage", of: Samples.entry), page("WalletPage", of: Samples.walletBody), page("TransferPage", of: Samples.transfer),
        page("HoldPage", of: Samples.hold), page("RiskAlertPage", of: Samples.alert),
    ]

    /// Those of the OpenID Provider.
    private static let oauth = [
        WireType(
            "Token",
            values: TokenBody(accessToken: "a", expiresIn: 300, scope: "openid", refreshToken: "r", idToken: "i"),
            TokenBody(accessToken: "a", expiresIn: 300, scope: "")),
        WireType("OAuthError", values: OAuthErrorBody(error: "invalid_grant", errorDescription: "d"), OAuthErrorBody(error: "invalid_grant")),
        WireType(
            "Introspection",
            values: IntrospectionBody(
                token: IntrospectionBody.Token(
                    clientID: "c", subject: "s", scope: "wallet", issuer: "https://id.example", audience: "florin-api", issuedAt: 1, expiresAt: 2,
                    tokenID: "j", sessionID: "ses", authenticationContext: "urn:florin:acr:mfa", authenticatedAt: 1)),
            IntrospectionBody(
                token: IntrospectionBody.Token(clientID: "c", subject: "c", scope: "", issuer: "https://id.example", expiresAt: 2)), .inactive),
        WireType(
            "UserInfo", values: UserInfoBody(subject: "usr", name: "Ana", locale: "de", email: "ana@example.com"), UserInfoBody(subject: "usr")),
    ]

    private static func page<Item: WireBody>(_ schema: String, of item: Item) -> WireType {
        WireType(schema, values: PageBody(items: [item], nextCursor: "c"), PageBody(items: [], nextCursor: nil))
    }
}
