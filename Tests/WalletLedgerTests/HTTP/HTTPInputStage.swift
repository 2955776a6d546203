import Contracts
import TestSupport
import Testing

/// Wallets in every state and transfers of every relation to one user, for the tables of bad input. Made once; nothing that a table
/// sends may change it, which the tables check.
struct HTTPInputStage: Sendable {
    private static let made = Task { try await HTTPInputStage() }

    static func shared() async throws -> HTTPInputStage { try await made.value }

    let world: LedgerWorld
    /// By the name under which the tables' texts mention them, `{own}`.
    private let names: [String: String]

    private init() async throws {
        let world = try await LedgerWorld.new()
        let maximum = MinorUnits.maximum
        let (neighbour, neighbourID) = try await world.api.newUser()
        let stranger = try await LedgerWorld.new()
        var names: [String: String] = [:]
        names["own"] = try await world.wallet(balance: 10_000)
        names["second"] = try await world.wallet()
        names["dollars"] = try await world.wallet(currency: "USD", balance: 500)
        names["foreign"] = try await world.wallet(owner: neighbourID, balance: 1_000)
        names["strange"] = try await stranger.wallet(balance: 100)
        names["noDebits"] = try await world.wallet(balance: 100)
        names["frozen"] = try await world.wallet(balance: 100)
        names["closed"] = try await world.wallet()
        names["overdrawn"] = try await world.wallet()
        // In a currency of their own, whose world outside is filled by them.
        names["full"] = try await world.wallet(currency: "KMF", balance: maximum)
        names["francs"] = try await world.wallet(currency: "KMF")
        try await world.change(names["francs"]!, "overdraft-limit", #"{"limit":50,"currency":"KMF","reason":"test"}"#)
        try await world.change(names["overdrawn"]!, "overdraft-limit", #"{"limit":50,"currency":"EUR","reason":"test"}"#)
        _ = try await world.transfer(40, from: names["overdrawn"]!, to: names["second"]!)
        let sent = try await world.transfer(1_000, from: names["own"]!, to: names["foreign"]!, reference: "stage-reference")
        let received = try await world.transfer(300, from: names["foreign"]!, to: names["own"]!, as: neighbour)
        let refund = try await world.api.send(
            SignedCall(
                "POST", "/v1/transfers/\(received.id)/refunds", #"{"amount":100,"currency":"EUR"}"#, as: world.user, key: LedgerWorld.newKey()))
        try #require(refund.status == 201, "\(refund.text)")
        (names["sent"], names["received"], names["refund"]) = (sent.id, received.id, refund.id)
        let elsewhere = try await world.transfer(10, from: names["noDebits"]!, to: names["foreign"]!)
        names["elsewhere"] = elsewhere.id
        try await world.change(names["noDebits"]!, "freeze", #"{"block":"debits","reason":"test"}"#)
        try await world.change(names["frozen"]!, "freeze", #"{"block":"all","reason":"test"}"#)
        try await world.change(names["closed"]!, "close")
        names["nobody"] = "wal_01900000000000000000000000"
        names["nothing"] = "trf_01900000000000000000000000"
        names["user"] = world.userID
        self.names = names
        self.world = world
    }

    func fill(_ text: String) -> String {
        names.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    func party(_ who: HTTPInputRow.Who) -> Party {
        switch who {
        case .user: world.user
        case .client: world.client
        case .staff: world.staff
        }
    }

    /// Balance and version of every wallet of the stage, as text.
    func state() async throws -> [String: String] {
        var state: [String: String] = [:]
        for (name, id) in names where id.hasPrefix("wal_") && name != "nobody" {
            state[name] = try await world.api.send(SignedCall("GET", "/v1/wallets/\(id)", as: world.staff)).text
        }
        return state
    }
}

/// A bad request and what it gets.
struct HTTPInputRow: Sendable, CustomTestStringConvertible {
    enum Who: Sendable {
        case user, client, staff
    }

    let name: String
    let method: String
    let target: String
    let body: String?
    let who: Who
    let status: Int
    let code: String
    let pointer: String?

    init(
        _ name: String, _ method: String = "POST", _ target: String = "/v1/transfers", _ body: String? = nil, as who: Who = .user, gets status: Int,
        _ code: String, at pointer: String? = nil
    ) {
        (self.name, self.method, self.target, self.body) = (name, method, target, body)
        (self.who, self.status, self.code, self.pointer) = (who, status, code, pointer)
    }

    var testDescription: String { name }
}
