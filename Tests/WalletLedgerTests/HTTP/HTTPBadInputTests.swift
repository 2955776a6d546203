import Contracts
import Foundation
import HTTPTypes
import RequestSigning
import TestSupport
import Testing

/// What is wrong with the request itself: each row its status and code, and nothing has moved.
@Suite struct HTTPBadInputTests {
    private typealias Row = HTTPInputRow

    private static let good = LedgerWorld.transfer("{own}", "{second}", "5")

    static let bodies: [HTTPInputRow] = [
        Row("no JSON", "POST", "/v1/transfers", text("not json"), gets: 400, "malformed_request"),
        Row("cut short", "POST", "/v1/transfers", text(String(good.dropLast())), gets: 400, "malformed_request"),
        Row("two values", "POST", "/v1/transfers", text(good + good), gets: 400, "malformed_request"),
        Row("empty", "POST", "/v1/transfers", text(""), gets: 400, "malformed_request"),
        Row("an array", "POST", "/v1/transfers", text("[\(good)]"), gets: 400, "malformed_request"),
        Row("null", "POST", "/v1/transfers", text("null"), gets: 400, "malformed_request"),
        Row("a comment", "POST", "/v1/transfers", text("/* */ \(good)"), gets: 400, "malformed_request"),
        Row("a member twice", "POST", "/v1/transfers", text(good.dropLast() + #","amount":5}"#), gets: 400, "malformed_request"),
        Row("nested too deeply", "POST", "/v1/transfers", text(String(repeating: "[", count: 1_000)), gets: 400, "malformed_request"),
        Row("unknown field", "POST", "/v1/transfers", text(good.dropLast() + #","memo":"x"}"#), gets: 400, "unknown_field", at: "/memo"),
        Row(
            "no amount", "POST", "/v1/transfers", text(#"{"source_wallet_id":"{own}","destination_wallet_id":"{second}","currency":"EUR"}"#),
            gets: 400, "malformed_request", at: "/amount"),
        Row(
            "no currency", "POST", "/v1/transfers", text(#"{"source_wallet_id":"{own}","destination_wallet_id":"{second}","amount":5}"#), gets: 400,
            "malformed_request", at: "/currency"),
        Row(
            "no source", "POST", "/v1/transfers", text(#"{"destination_wallet_id":"{second}","amount":5,"currency":"EUR"}"#), gets: 400,
            "malformed_request", at: "/source_wallet_id"),
        Row(
            "a number for an id", "POST", "/v1/transfers",
            text(#"{"source_wallet_id":7,"destination_wallet_id":"{second}","amount":5,"currency":"EUR"}"#), gets: 400, "malformed_request"),
        Row(
            "an empty reference", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", "{second}", "5", reference: "")), gets: 400,
            "malformed_request", at: "/reference"),
        Row(
            "a reference of 65 characters", "POST", "/v1/transfers",
            text(LedgerWorld.transfer("{own}", "{second}", "5", reference: String(repeating: "r", count: 65))), gets: 400, "malformed_request",
            at: "/reference"),
        Row(
            "a NUL in a reference", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", "{second}", "5", reference: #"a\u0000b"#)), gets: 400,
            "malformed_request"),
        Row(
            "half a surrogate pair", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", "{second}", "5", reference: #"\ud800"#)), gets: 400,
            "malformed_request"),
    ]

    static let amounts: [HTTPInputRow] =
        ["1.0", "1.5", "1e3", "1E3", "0", "-0", "-5", #""5""#, "9007199254740992", "99999999999999999999999", "true", "[5]", "{}"].map {
            Row(
                "amount \($0)", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", "{second}", $0)), gets: 400, "amount_out_of_range",
                at: "/amount")
        }

    static let unreadableAmounts: [HTTPInputRow] =
        ["0x10", "+5", "05", "NaN", ".5"].map {
            Row("amount \($0)", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", "{second}", $0)), gets: 400, "malformed_request")
        }

    static let amountsElsewhere: [HTTPInputRow] =
        ["1.0", "0", #""5""#].flatMap { amount in
            [
                Row("deposit \(amount)", "POST", "/v1/deposits", funding(amount), as: .client, gets: 400, "amount_out_of_range", at: "/amount"),
                Row("withdrawal \(amount)", "POST", "/v1/withdrawals", funding(amount), as: .client, gets: 400, "amount_out_of_range", at: "/amount"),
                Row(
                    "refund \(amount)", "POST", "/v1/transfers/{received}/refunds", #"{"amount":\#(amount),"currency":"EUR"}"#, gets: 400,
                    "amount_out_of_range", at: "/amount"),
            ]
        }

    static let limits: [HTTPInputRow] =
        ["-1", "1.5", "9007199254740992", #""5""#].map {
            Row(
                "overdraft limit \($0)", "PUT", "/v1/wallets/{own}/overdraft-limit", #"{"limit":\#($0),"currency":"EUR","reason":"r"}"#, as: .staff,
                gets: 400, "amount_out_of_range", at: "/limit")
        }

    static let currencies: [HTTPInputRow] =
        ["XAU", "XXX", "eur", "EURO", "", "EU€"].map {
            Row(
                "currency \($0)", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", "{second}", "5", currency: $0)), gets: 400,
                "unknown_currency", at: "/currency")
        }

    static let openings: [HTTPInputRow] =
        [
            Row("wallet of an unknown currency", "POST", "/v1/wallets", #"{"currency":"ABC"}"#, gets: 400, "unknown_currency", at: "/currency"),
            Row("wallet of no currency", "POST", "/v1/wallets", "{}", gets: 400, "malformed_request", at: "/currency"),
            Row("wallet with a balance", "POST", "/v1/wallets", #"{"currency":"EUR","balance":5}"#, gets: 400, "unknown_field", at: "/balance"),
        ]

    static let others: [HTTPInputRow] = [
        Row(
            "a freeze of something else", "POST", "/v1/wallets/{own}/freeze", #"{"block":"credits","reason":"r"}"#, as: .staff, gets: 400,
            "malformed_request", at: "/block"),
        Row(
            "a freeze without a reason", "POST", "/v1/wallets/{own}/freeze", #"{"block":"all"}"#, as: .staff, gets: 400, "malformed_request",
            at: "/reason"),
        Row("a close without a reason", "POST", "/v1/wallets/{own}/close", "{}", as: .staff, gets: 400, "malformed_request", at: "/reason"),
        Row(
            "a reason of 201 characters", "POST", "/v1/wallets/{own}/unfreeze", #"{"reason":"\#(String(repeating: "r", count: 201))"}"#, as: .staff,
            gets: 400, "malformed_request", at: "/reason"),
        Row(
            "a refund with half a sum", "POST", "/v1/transfers/{received}/refunds", #"{"amount":5}"#, gets: 400, "malformed_request", at: "/currency"),
        Row(
            "a refund of a currency", "POST", "/v1/transfers/{received}/refunds", #"{"currency":"EUR"}"#, gets: 400, "malformed_request",
            at: "/amount"),
        Row("a limit of 0", "GET", "/v1/wallets/{own}/entries?limit=0", gets: 400, "malformed_request", at: "/limit"),
        Row("a limit of 101", "GET", "/v1/wallets/{own}/entries?limit=101", gets: 400, "malformed_request", at: "/limit"),
        Row("a limit in words", "GET", "/v1/wallets/{own}/entries?limit=ten", gets: 400, "malformed_request", at: "/limit"),
        Row("a cursor of nobody", "GET", "/v1/wallets/{own}/entries?cursor=7", gets: 400, "malformed_request", at: "/cursor"),
        Row("an empty cursor", "GET", "/v1/wallets/{own}/entries?cursor=", gets: 400, "malformed_request", at: "/cursor"),
        Row("an unknown parameter", "GET", "/v1/wallets/{own}/entries?page=2", gets: 400, "unknown_field", at: "/page"),
        Row("a balance with a limit", "GET", "/v1/wallets/{own}/balance?limit=5", gets: 400, "unknown_field", at: "/limit"),
        Row("a balance before the wallet", "GET", "/v1/wallets/{own}/balance?at=2020-01-01T00:00:00Z", gets: 404, "not_found"),
        Row("a balance of a day", "GET", "/v1/wallets/{own}/balance?at=2020-01-01", gets: 400, "malformed_request", at: "/at"),
        Row("no time at all", "GET", "/v1/wallets/{own}/balance?at=", gets: 400, "malformed_request", at: "/at"),
        Row("half an escape", "GET", "/v1/wallets/{own}/balance?at=2020%2", gets: 400, "malformed_request", at: "/at"),
        Row(
            "two times", "GET", "/v1/wallets/{own}/balance?at=2020-01-01T00:00:00Z&at=2021-01-01T00:00:00Z", gets: 400, "malformed_request", at: "/at"
        ),
        Row("a balance of the future", "GET", "/v1/wallets/{own}/balance?at=9999-01-01T00:00:00Z", gets: 400, "at_too_recent", at: "/at"),
        Row("a statement of the future", "GET", "/v1/wallets/{own}/statement?to=9999-01-01T00:00:00Z", gets: 400, "at_too_recent", at: "/to"),
        Row("a statement from the future", "GET", "/v1/wallets/{own}/statement?from=9999-01-01T00:00:00Z", gets: 400, "at_too_recent", at: "/from"),
        Row(
            "a statement backwards", "GET", "/v1/wallets/{own}/statement?from=2021-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", gets: 400,
            "malformed_request", at: "/from"),
        Row("a statement of a kind", "GET", "/v1/wallets/{own}/statement?kind=refund", gets: 400, "unknown_field", at: "/kind"),
        Row("entries of no kind", "GET", "/v1/wallets/{own}/entries?kind=fee", gets: 400, "malformed_request", at: "/kind"),
        Row("transfers of nothing", "GET", "/v1/transfers", gets: 400, "malformed_request", at: "/wallet_id"),
        Row("transfers of a person", "GET", "/v1/transfers?wallet_id={user}", gets: 404, "not_found", at: "/wallet_id"),
        Row("transfers of a wallet of others", "GET", "/v1/transfers?wallet_id={foreign}", gets: 404, "not_found"),
        Row("a reference and a wallet", "GET", "/v1/transfers?reference=r&wallet_id={own}", gets: 400, "malformed_request", at: "/wallet_id"),
        Row("an empty reference to look up", "GET", "/v1/transfers?reference=", gets: 400, "malformed_request", at: "/reference"),
        Row("a NUL in a reference to look up", "GET", "/v1/transfers?reference=a%00b", gets: 400, "malformed_request", at: "/reference"),
        Row("wallets of a wallet", "GET", "/v1/wallets?owner_id={own}", gets: 404, "not_found", at: "/owner_id"),
        Row("wallets of somebody else", "GET", "/v1/wallets?owner_id=usr_01900000000000000000000000", gets: 404, "not_found"),
        Row("staff's wallets of nobody", "GET", "/v1/wallets", as: .staff, gets: 400, "malformed_request", at: "/owner_id"),
    ]

    static let names: [HTTPInputRow] =
        ["nonsense", "{nobody}", "{sent}", "{user}", "WAL_01900000000000000000000000", "wal_", "wal_0190000000000000000000000u", "%2e%2e"]
        .flatMap { id in
            [
                Row("wallet \(id)", "GET", "/v1/wallets/\(id)", gets: 404, "not_found"),
                Row("balance of \(id)", "GET", "/v1/wallets/\(id)/balance", gets: 404, "not_found"),
                Row("entries of \(id)", "GET", "/v1/wallets/\(id)/entries", gets: 404, "not_found"),
                Row("past of \(id)", "GET", "/v1/wallets/\(id)/balance?at=2020-01-01T00:00:00Z", gets: 404, "not_found"),
                Row("statement of \(id)", "GET", "/v1/wallets/\(id)/statement", gets: 404, "not_found"),
                Row("transfers of \(id)", "GET", "/v1/transfers?wallet_id=\(id)", gets: 404, "not_found"),
                Row("freeze of \(id)", "POST", "/v1/wallets/\(id)/freeze", #"{"block":"all","reason":"r"}"#, as: .staff, gets: 404, "not_found"),
                Row(
                    "limit of \(id)", "PUT", "/v1/wallets/\(id)/overdraft-limit", #"{"limit":1,"currency":"EUR","reason":"r"}"#, as: .staff,
                    gets: 404, "not_found"),
                Row("from \(id)", "POST", "/v1/transfers", text(LedgerWorld.transfer(id, "{own}", "5")), gets: 404, "not_found"),
                Row("to \(id)", "POST", "/v1/transfers", text(LedgerWorld.transfer("{own}", id, "5")), gets: 404, "not_found"),
                Row("deposit to \(id)", "POST", "/v1/deposits", LedgerWorld.funding(id, 5), as: .client, gets: 404, "not_found"),
                Row("withdrawal from \(id)", "POST", "/v1/withdrawals", LedgerWorld.funding(id, 5), as: .client, gets: 404, "not_found"),
            ]
        }

    static let transferNames: [HTTPInputRow] =
        ["nonsense", "{nothing}", "{own}", "{user}"].flatMap { id in
            [
                Row("transfer \(id)", "GET", "/v1/transfers/\(id)", gets: 404, "not_found"),
                Row("refund of \(id)", "POST", "/v1/transfers/\(id)/refunds", "{}", gets: 404, "not_found"),
            ]
        }

    static let otherNames: [HTTPInputRow] =
        [
            Row(
                "an owner who is no user", "POST", "/v1/wallets", #"{"currency":"EUR","owner_id":"{own}"}"#, as: .client, gets: 404, "not_found",
                at: "/owner_id"),
            Row("no such path", "GET", "/v1/nothing", gets: 404, "not_found"),
            Row("no such version", "GET", "/v2/wallets/{own}", gets: 404, "not_found"),
            Row("the root", "GET", "/", gets: 404, "not_found"),
        ]

    static let methods: [HTTPInputRow] = [
        Row("DELETE of a wallet", "DELETE", "/v1/wallets/{own}", gets: 405, "method_not_allowed"),
        Row("PUT of a wallet", "PUT", "/v1/wallets/{own}", "{}", gets: 405, "method_not_allowed"),
        Row("DELETE of transfers", "DELETE", "/v1/transfers", "{}", gets: 405, "method_not_allowed"),
        Row("PATCH of a transfer", "PATCH", "/v1/transfers/{sent}", "{}", gets: 405, "method_not_allowed"),
        Row("POST of a limit", "POST", "/v1/wallets/{own}/overdraft-limit", "{}", as: .staff, gets: 405, "method_not_allowed"),
        Row("TRACE of a wallet", "TRACE", "/v1/wallets/{own}", gets: 405, "method_not_allowed"),
        Row("QUERY of transfers", "QUERY", "/v1/transfers", "{}", gets: 405, "method_not_allowed"),
    ]

    static let changeless: [HTTPInputRow] = [
        bodies, amounts, unreadableAmounts, amountsElsewhere, limits, currencies, openings, others, names, transferNames, otherNames,
    ].flatMap(\.self)

    private static func funding(_ amount: String) -> String { #"{"wallet_id":"{own}","amount":\#(amount),"currency":"EUR"}"# }

    private static func text(_ text: some StringProtocol) -> String { String(text) }

    @Test(arguments: changeless + methods)
    func itIsRefusedWithItsCodeAndChangesNothing(row: HTTPInputRow) async throws {
        let stage = try await HTTPInputStage.shared()
        let key = row.method == "GET" ? nil : LedgerWorld.newKey()
        let answer = try await stage.world.api.send(
            SignedCall(row.method, stage.fill(row.target), row.body.map(stage.fill), as: stage.party(row.who), key: key))
        #expect(answer.status == row.status && answer.code == row.code, "\(answer.status) \(answer.text)")
        if let pointer = row.pointer { #expect(answer.pointers == [pointer]) }
        if row.status == 405 {
            let allowed = Set((answer.fields["allow"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } })
            #expect(!allowed.isEmpty && !allowed.contains(row.method), "Allow: \(allowed)")
        }
    }

    @Test func noRowOfTheTablesMovesMoney() async throws {
        let stage = try await HTTPInputStage.shared()
        let before = try await stage.state()
        for row in Self.changeless {
            let key = row.method == "GET" ? nil : LedgerWorld.newKey()
            _ = try await stage.world.api.send(
                SignedCall(row.method, stage.fill(row.target), row.body.map(stage.fill), as: stage.party(row.who), key: key))
        }
        #expect(try await stage.state() == before)
    }

    @Test(arguments: [
        "/v1/transfers", "/v1/deposits", "/v1/withdrawals", "/v1/transfers/{received}/refunds",
    ])
    func moneyIsNotMovedWithoutAKey(target: String) async throws {
        let stage = try await HTTPInputStage.shared()
        let isFunding = target.hasSuffix("s") && !target.contains("transfers")
        let body = target.hasSuffix("refunds") ? "{}" : isFunding ? LedgerWorld.funding("{own}", 5) : Self.good
        for key in [nil, String(repeating: "k", count: 256), "two words"] {
            let answer = try await stage.world.api.send(
                SignedCall("POST", stage.fill(target), stage.fill(body), as: isFunding ? stage.world.client : stage.world.user, key: key))
            #expect(answer.status == 400 && answer.code == "idempotency_key_missing", "\(key ?? "-"): \(answer.text)")
        }
    }

    @Test func aMalformedKeyIsRefusedWhereNoneIsNeeded() async throws {
        let world = try await LedgerWorld.new()
        let answer = try await world.api.send(
            SignedCall("POST", "/v1/wallets", #"{"currency":"EUR"}"#, as: world.user, key: String(repeating: "k", count: 256)))
        #expect(answer.status == 400 && answer.code == "idempotency_key_missing")
    }

    @Test func aKeyOfOtherThanASCIIFitsNoSignature() async throws {
        let stage = try await HTTPInputStage.shared()
        var call = SignedCall("POST", "/v1/transfers", stage.fill(Self.good), as: stage.world.user, key: "key")
        call.onTheWay = { request, _ in request.headerFields[.init("idempotency-key")!] = "schlüssel" }
        let answer = try await stage.world.api.send(call)
        #expect(answer.status == 401 && answer.code == "signature_invalid")
    }

    @Test func theAnswerToHEADHasNoBodyThatTheNextOneWouldBeginWith() async throws {
        let stage = try await HTTPInputStage.shared()
        let head = SignedCall("HEAD", stage.fill("/v1/wallets/{own}"), as: stage.world.user)
        let get = SignedCall("GET", stage.fill("/v1/wallets/{own}"), as: stage.world.user)
        let text = try await HTTPSocket.pipelined([head.bytes(stage.world.api), get.bytes(stage.world.api)], port: stage.world.api.port)
        let answers = text.components(separatedBy: "HTTP/1.1 ").filter { !$0.isEmpty }
        #expect(answers.count == 2 && answers[0].hasPrefix("200") && answers[1].hasPrefix("200"), "\(text)")
        #expect(answers[0].hasSuffix("\r\n\r\n"))
    }

    @Test func aBodyMayHave64KiBAndNotAByteMore() async throws {
        let world = try await LedgerWorld.new()
        let body = LedgerWorld.transfer(try await world.wallet(balance: 100), try await world.wallet(), "5")
        let full = body + String(repeating: " ", count: 65_536 - body.utf8.count)
        let fits = try await world.api.send(SignedCall("POST", "/v1/transfers", full, as: world.user, key: LedgerWorld.newKey()))
        #expect(fits.status == 201, "\(fits.text)")
        for size in [65_537, 300_000] {
            let more = full + String(repeating: " ", count: size - 65_536)
            let answer = try await world.api.send(SignedCall("POST", "/v1/transfers", more, as: world.user, key: LedgerWorld.newKey()))
            #expect(answer.status == 413 && answer.code == "body_too_large", "\(answer.text)")
        }
    }

    @Test(arguments: [
        "text/plain", "application/jsonl", "application/json5", "application/x-www-form-urlencoded", "application/problem+json", "json",
        "application/json,text/plain",
    ])
    func anotherMediaTypeIsRefused(mediaType: String) async throws {
        let stage = try await HTTPInputStage.shared()
        var call = SignedCall("POST", "/v1/transfers", stage.fill(Self.good), as: stage.world.user, key: LedgerWorld.newKey())
        call.mediaType = mediaType
        let answer = try await stage.world.api.send(call)
        #expect(answer.status == 415 && answer.code == "unsupported_media_type", "\(answer.status) \(answer.text)")
    }

    @Test(arguments: [
        "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
        "application/json ; charset=utf-8",
    ])
    func jsonIsReadHoweverItsNameIsSpelled(mediaType: String) async throws {
        let world = try await LedgerWorld.new()
        var call = SignedCall("POST", "/v1/wallets", #"{"currency":"EUR"}"#, as: world.user)
        call.mediaType = mediaType
        #expect(try await world.api.send(call).status == 201)
    }
}
