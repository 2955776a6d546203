import Contracts
import StrictJSON
import TestSupport
import Testing

/// What the state of the money refuses: each row its status and code, kept with the key, and nothing has moved.
@Suite struct HTTPRefusalTests {
    private typealias Row = HTTPInputRow

    static let transfers: [HTTPInputRow] = [
        transfer("more than there is", "{own}", "{second}", "10000000", 422, "insufficient_funds"),
        transfer("the largest amount", "{own}", "{second}", "9007199254740991", 422, "insufficient_funds"),
        transfer("beyond the overdraft limit", "{overdrawn}", "{own}", "11", 422, "insufficient_funds"),
        transfer("to itself", "{own}", "{own}", "5", 422, "same_wallet"),
        transfer("to another currency", "{own}", "{dollars}", "5", 422, "currency_mismatch"),
        transfer("in another currency", "{own}", "{second}", "5", currency: "USD", 422, "currency_mismatch"),
        transfer("from a wallet whose debits are frozen", "{noDebits}", "{own}", "5", 422, "wallet_frozen"),
        transfer("from a frozen wallet", "{frozen}", "{own}", "5", 422, "wallet_frozen"),
        transfer("to a frozen wallet", "{own}", "{frozen}", "5", 422, "wallet_frozen"),
        transfer("from a closed wallet", "{closed}", "{own}", "5", 422, "wallet_closed"),
        transfer("to a closed wallet", "{own}", "{closed}", "5", 422, "wallet_closed"),
        transfer("beyond the largest balance", "{francs}", "{full}", "1", currency: "KMF", 422, "balance_out_of_range"),
        transfer("with a reference used before", "{own}", "{second}", "5", reference: "stage-reference", 409, "reference_exists"),
    ]

    static let fundings: [HTTPInputRow] = [
        Row("deposit in another currency", "POST", "/v1/deposits", funding("{own}", "USD"), as: .client, gets: 422, "currency_mismatch"),
        Row("deposit in a currency nobody has", "POST", "/v1/deposits", funding("{own}", "SLE"), as: .client, gets: 422, "currency_mismatch"),
        Row("deposit to a frozen wallet", "POST", "/v1/deposits", funding("{frozen}"), as: .client, gets: 422, "wallet_frozen"),
        Row("deposit to a closed wallet", "POST", "/v1/deposits", funding("{closed}"), as: .client, gets: 422, "wallet_closed"),
        Row("deposit to a full wallet", "POST", "/v1/deposits", funding("{full}", "KMF"), as: .client, gets: 422, "balance_out_of_range"),
        Row(
            "withdrawal of too much", "POST", "/v1/withdrawals", LedgerWorld.funding("{own}", 10_000_000), as: .client, gets: 422,
            "insufficient_funds"),
        Row("withdrawal without debits", "POST", "/v1/withdrawals", funding("{noDebits}"), as: .client, gets: 422, "wallet_frozen"),
        Row("withdrawal from a closed wallet", "POST", "/v1/withdrawals", funding("{closed}"), as: .client, gets: 422, "wallet_closed"),
    ]

    static let refunds: [HTTPInputRow] = [
        refund("more than is left of it", "{received}", #"{"amount":201,"currency":"EUR"}"#, 422, "refund_exceeds_original"),
        refund("all of what was refunded in part", "{received}", "{}", 422, "refund_exceeds_original"),
        refund("in another currency", "{received}", #"{"amount":5,"currency":"USD"}"#, 422, "currency_mismatch"),
        refund("of a refund", "{refund}", "{}", as: .staff, 422, "refund_exceeds_original"),
    ]

    static let changes: [HTTPInputRow] = [
        Row("close with a balance", "POST", "/v1/wallets/{own}/close", reason, as: .staff, gets: 422, "balance_not_zero"),
        Row("close twice", "POST", "/v1/wallets/{closed}/close", reason, as: .staff, gets: 422, "wallet_closed"),
        Row(
            "freeze of a closed wallet", "POST", "/v1/wallets/{closed}/freeze", #"{"block":"all","reason":"r"}"#, as: .staff, gets: 422,
            "wallet_closed"),
        Row("unfreeze of a closed wallet", "POST", "/v1/wallets/{closed}/unfreeze", reason, as: .staff, gets: 422, "wallet_closed"),
        limit("a limit below what is in use", "{overdrawn}", 39, "EUR", "overdraft_in_use"),
        limit("no limit while one is in use", "{overdrawn}", 0, "EUR", "overdraft_in_use"),
        limit("a limit in another currency", "{own}", 10, "USD", "currency_mismatch"),
        limit("a limit of a closed wallet", "{closed}", 10, "EUR", "wallet_closed"),
    ]

    /// Wallets and transfers that exist, but not for who asks.
    static let hidden: [HTTPInputRow] = [
        transfer("from somebody else's wallet", "{foreign}", "{own}", "5", 404, "not_found"),
        refund("of what one has paid", "{sent}", "{}", 404, "not_found"),
        refund("between others", "{elsewhere}", "{}", 404, "not_found"),
        Row("somebody else's wallet", "GET", "/v1/wallets/{foreign}", gets: 404, "not_found"),
        Row("somebody else's balance", "GET", "/v1/wallets/{foreign}/balance", gets: 404, "not_found"),
        Row("somebody else's entries", "GET", "/v1/wallets/{foreign}/entries", gets: 404, "not_found"),
        Row("another client's wallet", "GET", "/v1/wallets/{strange}", as: .client, gets: 404, "not_found"),
        Row("another client's balance", "GET", "/v1/wallets/{strange}/balance", as: .client, gets: 404, "not_found"),
        Row("deposit to another client's wallet", "POST", "/v1/deposits", funding("{strange}"), as: .client, gets: 404, "not_found"),
        Row("withdrawal from another client's", "POST", "/v1/withdrawals", funding("{strange}"), as: .client, gets: 404, "not_found"),
        transfer("from another client's wallet", "{strange}", "{own}", "5", as: .client, 404, "not_found"),
        Row(
            "a wallet for somebody else", "POST", "/v1/wallets", #"{"currency":"EUR","owner_id":"usr_01900000000000000000000000"}"#, gets: 404,
            "not_found"),
    ]

    private static let reason = #"{"reason":"r"}"#

    private static func transfer(
        _ name: String, _ source: String, _ destination: String, _ amount: String, currency: String = "EUR", reference: String? = nil,
        as who: HTTPInputRow.Who = .user, _ status: Int, _ code: String
    ) -> HTTPInputRow {
        let body = LedgerWorld.transfer(source, destination, amount, currency: currency, reference: reference)
        return Row(name, "POST", "/v1/transfers", body, as: who, gets: status, code)
    }

    private static func refund(
        _ name: String, _ id: String, _ body: String, as who: HTTPInputRow.Who = .user, _ status: Int, _ code: String
    ) -> HTTPInputRow {
        Row("refund \(name)", "POST", "/v1/transfers/\(id)/refunds", body, as: who, gets: status, code)
    }

    private static func limit(_ name: String, _ wallet: String, _ limit: Int, _ currency: String, _ code: String) -> HTTPInputRow {
        let body = #"{"limit":\#(limit),"currency":"\#(currency)","reason":"r"}"#
        return Row(name, "PUT", "/v1/wallets/\(wallet)/overdraft-limit", body, as: .staff, gets: 422, code)
    }

    private static func funding(_ wallet: String, _ currency: String = "EUR") -> String { LedgerWorld.funding(wallet, 5, currency) }

    static let decided: [HTTPInputRow] = [transfers, fundings, refunds, changes].flatMap(\.self)

    @Test(arguments: decided) func theStateOfTheMoneyRefusesAndTheKeyKeepsTheRefusal(row: HTTPInputRow) async throws {
        let stage = try await HTTPInputStage.shared()
        let key = LedgerWorld.newKey()
        let call = SignedCall(row.method, stage.fill(row.target), row.body.map(stage.fill), as: stage.party(row.who), key: key)
        let first = try await stage.world.api.send(call)
        #expect(first.status == row.status && first.code == row.code, "\(first.status) \(first.text)")
        #expect(!first.isReplay)
        if row.code == "reference_exists" {
            #expect(first.json["detail"]?.stringValue?.contains(stage.fill("{sent}")) == true, "\(first.text)")
        }
        let again = try await stage.world.api.send(call)
        #expect(again.status == first.status && again.bytes == first.bytes && again.isReplay, "\(again.text)")
    }

    @Test(arguments: hidden) func whatOneMayNotSeeDoesNotExist(row: HTTPInputRow) async throws {
        let stage = try await HTTPInputStage.shared()
        let key = row.method == "GET" ? nil : LedgerWorld.newKey()
        let call = SignedCall(row.method, stage.fill(row.target), row.body.map(stage.fill), as: stage.party(row.who), key: key)
        let answer = try await stage.world.api.send(call)
        #expect(answer.status == row.status && answer.code == row.code, "\(answer.status) \(answer.text)")
        #expect(!(try await stage.world.api.send(call)).isReplay, "a key was used up by what does not exist")
    }

    @Test func noRefusalMovesMoney() async throws {
        let stage = try await HTTPInputStage.shared()
        let before = try await stage.state()
        for row in Self.decided + Self.hidden {
            let key = row.method == "GET" ? nil : LedgerWorld.newKey()
            _ = try await stage.world.api.send(
                SignedCall(row.method, stage.fill(row.target), row.body.map(stage.fill), as: stage.party(row.who), key: key))
        }
        #expect(try await stage.state() == before)
    }

    @Test func somebodyElsesWalletIsAnsweredLikeNone() async throws {
        let stage = try await HTTPInputStage.shared()
        func answer(_ wallet: String) async throws -> [JSONValue?] {
            let call = SignedCall("GET", stage.fill("/v1/wallets/\(wallet)"), as: stage.world.user)
            let answer = try await stage.world.api.send(call)
            return ["type", "title", "status", "detail", "code", "errors"].map { answer.json[$0] }
        }
        #expect(try await answer("{foreign}") == answer("{nobody}"))
    }
}
