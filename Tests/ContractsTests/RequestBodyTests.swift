import Contracts
import Testing

/// A body, and the code and pointer with which it is refused.
struct BadBody: Sendable, CustomTestStringConvertible {
    let text: String
    let code: ProblemCode
    let pointer: String

    init(_ text: String, _ code: ProblemCode, _ pointer: String) {
        self.text = text
        self.code = code
        self.pointer = pointer
    }

    var testDescription: String { text }

    func check<Body: WireDecodable>(_ type: Body.Type) {
        #expect {
            try Body(wireBytes: Array(text.utf8))
        } throws: { error in
            guard let fault = error as? RequestFault else { return false }
            return fault.code == code && fault.errors.map(\.pointer) == [pointer]
        }
    }
}

@Suite("Request bodies")
struct RequestBodyTests {
    private static let source = "wal_01jd0000000000000000000000"
    private static let destination = "wal_01jd0000000000000000000001"
    private static let transferID = "trf_01jd0000000000000000000000"

    private static func transfer(amount: String = "1", currency: String = #""EUR""#, more: String = "") -> String {
        #"{"source_wallet_id":"\#(source)","destination_wallet_id":"\#(destination)","amount":\#(amount),"currency":\#(currency)\#(more)}"#
    }

    private func read<Body: WireDecodable>(_ text: String, as: Body.Type = Body.self) throws -> Body {
        try Body(wireBytes: Array(text.utf8))
    }

    @Test("good bodies are read")
    func good() throws {
        let euro = try #require(Currency("EUR"))
        let source = try #require(WalletID(Self.source))
        let destination = try #require(WalletID(Self.destination))
        let largest = try #require(Money(amountMinor: MinorUnits.maximum, currency: euro))
        #expect(
            try read(Self.transfer(amount: "9007199254740991", more: #","reference":"r"}"#.replacing("}", with: "")))
                == TransferRequest(sourceWalletID: source, destinationWalletID: destination, money: largest, reference: "r"))
        let one = try #require(Money(amountMinor: 1, currency: euro))
        #expect(
            try read(#" { "currency" : "EUR", "amount":1, "wallet_id":"\#(Self.source)", "reference":null } "#)
                == FundingRequest(walletID: source, money: one))
        #expect(try read("{}") == RefundRequest())
        #expect(try read(#"{"amount":1,"currency":"EUR"}"#) == RefundRequest(money: one))
        #expect(try read(#"{"currency":"EUR"}"#) == OpenWalletRequest(ownerID: nil, currency: euro))
        #expect(try read(#"{"block":"all","reason":"x"}"#) == FreezeWalletRequest(block: .all, reason: "x"))
        #expect(try read(#"{"reason":"é"}"#) == ReasonRequest(reason: "é"))
        #expect(
            try read(#"{"limit":0,"currency":"EUR","reason":"x"}"#) == OverdraftLimitRequest(limitMinor: 0, currency: euro, reason: "x"))
    }

    @Test(
        "a bad transfer is refused",
        arguments: [
            BadBody("", .malformedRequest, ""), BadBody("[]", .malformedRequest, ""), BadBody("{", .malformedRequest, ""),
            BadBody("{}", .malformedRequest, "/source_wallet_id"),
            BadBody(transfer(amount: "1.0"), .amountOutOfRange, "/amount"), BadBody(transfer(amount: "1e0"), .amountOutOfRange, "/amount"),
            BadBody(transfer(amount: #""1""#), .amountOutOfRange, "/amount"), BadBody(transfer(amount: "0"), .amountOutOfRange, "/amount"),
            BadBody(transfer(amount: "-0"), .amountOutOfRange, "/amount"), BadBody(transfer(amount: "-1"), .amountOutOfRange, "/amount"),
            BadBody(transfer(amount: "true"), .amountOutOfRange, "/amount"), BadBody(transfer(amount: "[1]"), .amountOutOfRange, "/amount"),
            BadBody(transfer(amount: "9007199254740992"), .amountOutOfRange, "/amount"),
            BadBody(transfer(amount: "99999999999999999999"), .amountOutOfRange, "/amount"),
            BadBody(transfer(amount: "null"), .malformedRequest, "/amount"), BadBody(transfer(amount: "01"), .malformedRequest, ""),
            BadBody(transfer(currency: #""XXX""#), .unknownCurrency, "/currency"),
            BadBody(transfer(currency: #""eur""#), .unknownCurrency, "/currency"),
            BadBody(transfer(currency: "978"), .malformedRequest, "/currency"), BadBody(transfer(currency: "null"), .malformedRequest, "/currency"),
            BadBody(transfer(more: #","note":1"#), .unknownField, "/note"), BadBody(transfer(more: #","a/b~c":1"#), .unknownField, "/a~1b~0c"),
            BadBody(transfer(more: #","Amount":1"#), .unknownField, "/Amount"), BadBody(transfer(more: #","amount":1"#), .malformedRequest, ""),
            BadBody(transfer(more: #","reference":"""#), .malformedRequest, "/reference"),
            BadBody(transfer(more: #","reference":7"#), .malformedRequest, "/reference"),
            BadBody(transfer(more: #","reference":"\u0000""#), .malformedRequest, "/reference"),
            BadBody(transfer(more: #","reference":"\#(String(repeating: "x", count: 65))""#), .malformedRequest, "/reference"),
            BadBody(transfer().replacing(source, with: transferID), .notFound, "/source_wallet_id"),
            BadBody(transfer().replacing(destination, with: "wal_1"), .notFound, "/destination_wallet_id"),
            BadBody(transfer().replacing(source, with: source.uppercased()), .notFound, "/source_wallet_id"),
            BadBody(transfer().replacing(#""\#(source)""#, with: "1"), .malformedRequest, "/source_wallet_id"),
        ])
    func badTransfer(body: BadBody) {
        body.check(TransferRequest.self)
    }

    @Test(
        "a bad deposit, withdrawal or refund is refused",
        arguments: [
            BadBody(#"{"amount":1,"currency":"EUR"}"#, .malformedRequest, "/wallet_id"),
            BadBody(#"{"wallet_id":"\#(transferID)","amount":1,"currency":"EUR"}"#, .notFound, "/wallet_id"),
            BadBody(#"{"wallet_id":"\#(source)","currency":"EUR"}"#, .malformedRequest, "/amount"),
            BadBody(#"{"wallet_id":"\#(source)","amount":0,"currency":"EUR"}"#, .amountOutOfRange, "/amount"),
            BadBody(#"{"wallet_id":"\#(source)","amount":1,"currency":"EUR","x":1}"#, .unknownField, "/x"),
        ])
    func badFunding(body: BadBody) {
        body.check(FundingRequest.self)
    }

    @Test(
        "a bad refund is refused",
        arguments: [
            BadBody(#"{"amount":1}"#, .malformedRequest, "/currency"), BadBody(#"{"currency":"EUR"}"#, .malformedRequest, "/amount"),
            BadBody(#"{"amount":0,"currency":"EUR"}"#, .amountOutOfRange, "/amount"),
            BadBody(#"{"amount":1,"currency":"ZZZ"}"#, .unknownCurrency, "/currency"), BadBody(#"{"reason":"x"}"#, .unknownField, "/reason"),
        ])
    func badRefund(body: BadBody) {
        body.check(RefundRequest.self)
    }

    @Test(
        "a bad opening of a wallet is refused",
        arguments: [
            BadBody("{}", .malformedRequest, "/currency"), BadBody(#"{"currency":"XAU"}"#, .unknownCurrency, "/currency"),
            BadBody(#"{"currency":"EUR","owner_id":"\#(source)"}"#, .notFound, "/owner_id"),
            BadBody(#"{"currency":"EUR","owner_id":1}"#, .malformedRequest, "/owner_id"),
            BadBody(#"{"currency":"EUR","balance":1}"#, .unknownField, "/balance"),
        ])
    func badOpening(body: BadBody) {
        body.check(OpenWalletRequest.self)
    }

    @Test(
        "a bad freeze is refused",
        arguments: [
            BadBody(#"{"reason":"x"}"#, .malformedRequest, "/block"), BadBody(#"{"block":"credits","reason":"x"}"#, .malformedRequest, "/block"),
            BadBody(#"{"block":"all"}"#, .malformedRequest, "/reason"), BadBody(#"{"block":"all","reason":"x","by":"y"}"#, .unknownField, "/by"),
        ])
    func badFreeze(body: BadBody) {
        body.check(FreezeWalletRequest.self)
    }

    @Test(
        "a bad reason is refused",
        arguments: [
            BadBody("{}", .malformedRequest, "/reason"), BadBody(#"{"reason":""}"#, .malformedRequest, "/reason"),
            BadBody(#"{"reason":"\#(String(repeating: "é", count: 201))"}"#, .malformedRequest, "/reason"),
            BadBody(#"{"reason":"x","block":"all"}"#, .unknownField, "/block"),
        ])
    func badReason(body: BadBody) {
        body.check(ReasonRequest.self)
    }

    @Test(
        "a bad overdraft limit is refused",
        arguments: [
            BadBody(#"{"limit":-1,"currency":"EUR","reason":"x"}"#, .amountOutOfRange, "/limit"),
            BadBody(#"{"limit":1.5,"currency":"EUR","reason":"x"}"#, .amountOutOfRange, "/limit"),
            BadBody(#"{"limit":9007199254740992,"currency":"EUR","reason":"x"}"#, .amountOutOfRange, "/limit"),
            BadBody(#"{"currency":"EUR","reason":"x"}"#, .malformedRequest, "/limit"),
            BadBody(#"{"limit":1,"reason":"x"}"#, .malformedRequest, "/currency"),
        ])
    func badLimit(body: BadBody) {
        body.check(OverdraftLimitRequest.self)
    }

    @Test(
        "a fault says what is wrong in plain words",
        arguments: [
            (transfer(more: #","note":1"#), "Unknown field."), ("{}", "Required."), ("[]", "Must be an object."),
            (transfer(amount: "1.0"), "Must be a whole number of minor units from 1 to 9007199254740991."),
            (transfer(currency: #""XXX""#), "Must be the ISO 4217 code of a currency with a minor unit."),
            (transfer(more: #","reference":"""#), "Must be 1 to 64 characters long."),
            (transfer(more: #","reference":"\u0000""#), "Must not contain control characters."),
            (transfer().replacing(source, with: transferID), "No such resource."),
        ])
    func texts(body: String, detail: String) {
        #expect { try read(body, as: TransferRequest.self) } throws: { ($0 as? RequestFault)?.errors.map(\.detail) == [detail] }
    }

    @Test(
        "an amount and its currency stand together",
        arguments: [(#"{"amount":1}"#, "currency", "amount"), (#"{"currency":"EUR"}"#, "amount", "currency")])
    func together(body: String, missing: String, given: String) {
        let fault = RequestFault(.malformedRequest, pointer: "/\(missing)", detail: "Required when `\(given)` is given.")
        #expect(throws: fault) { try read(body, as: RefundRequest.self) }
    }
}
