import AccessTokens
import Contracts
import Foundation
import StrictJSON
import TestSupport
import Testing

/// People, clients and wallets of one test.
struct LedgerWorld: Sendable {
    let api: LedgerAPI
    let client: Party
    let staff: Party
    let user: Party
    let userID: String

    /// A world of new principals.
    /// - Parameter api: nil is the one that all suites share.
    static func new(on api: LedgerAPI? = nil) async throws -> LedgerWorld {
        let api = if let api { api } else { try await LedgerAPI.shared() }
        let (user, id) = try await api.newUser()
        return LedgerWorld(
            api: api, client: try await api.client("shop-\(UUID().uuidString.lowercased())"), staff: try await api.staff(), user: user, userID: id)
    }

    static func newKey() -> String { "key-\(UUID().uuidString)" }

    /// A wallet that the client opened for its owner, with money in it.
    func wallet(owner: String? = nil, currency: String = "EUR", balance: Int64 = 0) async throws -> String {
        let answer = try await api.send(
            SignedCall("POST", "/v1/wallets", #"{"currency":"\#(currency)","owner_id":"\#(owner ?? userID)"}"#, as: client))
        try #require(answer.status == 201, "\(answer.text)")
        if balance > 0 { try await deposit(balance, currency, to: answer.id) }
        return answer.id
    }

    func deposit(_ amount: Int64, _ currency: String = "EUR", to wallet: String) async throws {
        let answer = try await api.send(
            SignedCall("POST", "/v1/deposits", Self.funding(wallet, amount, currency), as: client, key: Self.newKey()))
        try #require(answer.status == 201, "\(answer.text)")
    }

    /// Moves money and returns the answer, whatever it is.
    func transfer(
        _ amount: Int64, from source: String, to destination: String, as party: Party? = nil, key: String = LedgerWorld.newKey(),
        reference: String? = nil
    ) async throws -> SignedAnswer {
        let body = Self.transfer(source, destination, String(amount), reference: reference)
        return try await api.send(SignedCall("POST", "/v1/transfers", body, as: party ?? user, key: key))
    }

    /// Places a hold and returns the answer, whatever it is.
    func hold(
        _ amount: Int64, from source: String, to destination: String, as party: Party? = nil, key: String = LedgerWorld.newKey()
    ) async throws -> SignedAnswer {
        let body = Self.transfer(source, destination, String(amount))
        return try await api.send(SignedCall("POST", "/v1/holds", body, as: party ?? user, key: key))
    }

    func change(_ wallet: String, _ what: String, _ body: String = #"{"reason":"test"}"#) async throws {
        let method = what == "overdraft-limit" ? "PUT" : "POST"
        let answer = try await api.send(SignedCall(method, "/v1/wallets/\(wallet)/\(what)", body, as: staff))
        try #require(answer.status == 200, "\(answer.text)")
    }

    func balance(_ wallet: String) async throws -> Int64? {
        try await api.send(SignedCall("GET", "/v1/wallets/\(wallet)/balance", as: staff)).json["balance"]?.integerValue
    }

    static func transfer(_ source: String, _ destination: String, _ amount: String, currency: String = "EUR", reference: String? = nil) -> String {
        let tail = reference.map { #","reference":"\#($0)""# } ?? ""
        return #"{"source_wallet_id":"\#(source)","destination_wallet_id":"\#(destination)","amount":\#(amount),"currency":"\#(currency)"\#(tail)}"#
    }

    static func batch(_ mode: String, _ transfers: String...) -> String {
        #"{"mode":"\#(mode)","transfers":[\#(transfers.joined(separator: ","))]}"#
    }

    static func funding(_ wallet: String, _ amount: Int64, _ currency: String = "EUR") -> String {
        #"{"wallet_id":"\#(wallet)","amount":\#(amount),"currency":"\#(currency)"}"#
    }
}

extension LedgerAPI {
    /// Longer than all suites of the process take on a busy machine, in seconds.
    private var tokenLifetime: Int64 { 3_600 }

    static func newUserID() -> String {
        var random = SystemRandomNumberGenerator()
        return UserID.new(milliseconds: now * 1_000, using: &random).description
    }

    func newUser() async throws -> (party: Party, id: String) {
        let id = Self.newUserID()
        return (
            Party(caller: "mobile-bff", token: try await issuer.token(for: .user(id), scopes: ["wallet"], lifetime: tokenLifetime, now: Self.now)), id
        )
    }

    func client(_ id: String) async throws -> Party {
        let scopes = ["ledger:read", "ledger:write", "ledger:fund"]
        return Party(caller: "api-gateway", token: try await issuer.token(for: .client(id), scopes: scopes, lifetime: tokenLifetime, now: Self.now))
    }

    func staff(caller: String = "backoffice") async throws -> Party {
        let token = try await issuer.token(
            for: .user(Self.newUserID()), clientID: "backoffice", scopes: ["ledger:operate"], roles: ["admin"],
            lifetime: tokenLifetime, now: Self.now)
        return Party(caller: caller, token: token)
    }
}
