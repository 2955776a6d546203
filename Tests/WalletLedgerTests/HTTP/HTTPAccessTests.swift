import AccessTokens
import Contracts
import TestSupport
import Testing

/// "Who may do what in the ledger": every route × calling service × token.
@Suite struct HTTPAccessTests {
    /// A pair of identities of the interfaces page, for which a route may be open.
    enum Pair: Sendable {
        case user, clientReads, clientWrites, clientFunds, staff
    }

    /// A route, the pairs that it takes, and the status of a good request.
    struct Row: Sendable, CustomTestStringConvertible {
        let route: String
        let pairs: Set<Pair>
        let success: Int
        let body: String?
        let query: String

        init(_ route: String, _ pairs: Set<Pair>, _ success: Int, _ body: String? = nil, query: String = "") {
            (self.route, self.pairs, self.success, self.body, self.query) = (route, pairs, success, body, query)
        }

        var testDescription: String { route }
    }

    /// `{own}`, `{other}` and `{received}` stand for objects that all three kinds of principals of the test reach.
    static let rows = [
        Row("POST /v1/wallets", [.user, .clientWrites], 201, #"{"currency":"EUR"}"#),
        Row("GET /v1/wallets/{id}", [.user, .clientReads, .staff], 200),
        Row("GET /v1/wallets/{id}/balance", [.user, .clientReads, .staff], 200),
        Row("GET /v1/wallets/{id}/entries", [.user, .clientReads, .staff], 200),
        Row("GET /v1/wallets/{id}/holds", [.user, .clientReads, .staff], 200),
        Row("GET /v1/wallets/{id}/statement", [.user, .clientReads, .staff], 200),
        Row("GET /v1/wallets", [.user, .clientReads, .staff], 200, query: "?owner_id={user}"),
        Row("GET /v1/transfers", [.user, .clientReads, .staff], 200, query: "?wallet_id={own}"),
        Row("POST /v1/wallets/{id}/freeze", [.staff], 200, #"{"block":"debits","reason":"test"}"#),
        Row("POST /v1/wallets/{id}/unfreeze", [.staff], 200, #"{"reason":"test"}"#),
        Row("POST /v1/wallets/{id}/close", [.staff], 200, #"{"reason":"test"}"#),
        Row("PUT /v1/wallets/{id}/overdraft-limit", [.staff], 200, #"{"limit":100,"currency":"EUR","reason":"test"}"#),
        Row("POST /v1/transfers", [.user, .clientWrites], 201, LedgerWorld.transfer("{own}", "{other}", "1")),
        Row("POST /v1/deposits", [.clientFunds], 201, LedgerWorld.funding("{own}", 1)),
        Row("POST /v1/withdrawals", [.clientFunds], 201, LedgerWorld.funding("{own}", 1)),
        Row("POST /v1/transfers/{id}/refunds", [.user, .clientWrites, .staff], 201, #"{"amount":1,"currency":"EUR"}"#),
        Row("GET /v1/transfers/{id}", [.user, .clientReads, .staff], 200),
        Row("POST /v1/transfers/batch", [.user, .clientWrites], 201, LedgerWorld.batch("atomic", LedgerWorld.transfer("{own}", "{other}", "1"))),
        Row("POST /v1/holds", [.user, .clientWrites], 201, LedgerWorld.transfer("{own}", "{other}", "1")),
        Row("GET /v1/holds/{id}", [.user, .clientReads, .staff], 200),
        Row("POST /v1/holds/{id}/capture", [.user, .clientWrites], 201, #"{"amount":1,"currency":"EUR"}"#),
        Row("POST /v1/holds/{id}/void", [.user, .clientWrites, .staff], 200, "{}"),
    ]

    enum Token: String, CaseIterable, Sendable {
        case none, userWallet, userWithoutScope, userWithLedgerScope
        case clientRead, clientWrite, clientFund, clientWithoutScope
        case staffWithRole, staffOtherRole, staffWithoutRole
        case expired, forged, otherIssuer
    }

    static let callers = ["mobile-bff", "api-gateway", "backoffice", "fleetctl", LedgerAPI.uninvited, "unknown"]

    @Test func everyRouteOfTheRouterHasARow() async throws {
        let api = try await LedgerAPI.shared()
        #expect(Set(api.routes) == Set(Self.rows.map(\.route)))
        #expect(api.routes.count == Self.rows.count)
    }

    @Test(arguments: rows) func aRouteAnswersEachCallerAndTokenAsThePageSays(row: Row) async throws {
        let world = try await LedgerWorld.new()
        let clientID = "table-\(LedgerWorld.newKey())"
        let opener = try await world.api.client(clientID)
        let mine = LedgerWorld(api: world.api, client: opener, staff: world.staff, user: world.user, userID: world.userID)
        let own = try await mine.wallet(balance: 10_000)
        let other = try await mine.wallet()
        let posted = try await mine.transfer(1_000, from: own, to: other)
        let words = row.route.split(separator: " ").map(String.init)
        for caller in Self.callers {
            for token in Token.allCases {
                let wallet = words[1].hasSuffix("/close") ? try await mine.wallet() : own
                let hold = words[1].hasPrefix("/v1/holds/") ? try await mine.hold(2, from: own, to: other).id : ""
                let id = hold.isEmpty ? words[1].hasPrefix("/v1/transfers") ? posted.id : wallet : hold
                let call = SignedCall(
                    words[0], words[1].replacing("{id}", with: id) + row.query.replacing("{own}", with: own).replacing("{user}", with: world.userID),
                    row.body?.replacing("{own}", with: own).replacing("{other}", with: other),
                    as: Party(caller: caller, token: try await mint(token, world, clientID: clientID)),
                    key: words[0] == "GET" ? nil : LedgerWorld.newKey())
                let answer = try await world.api.send(call)
                let expected = Self.expected(row, caller, token)
                #expect(
                    answer.status == expected.status && answer.code == expected.code,
                    "\(row.route) by \(caller) with \(token): \(answer.status) \(answer.code ?? "-"), not \(expected)")
            }
        }
    }

    private func mint(_ token: Token, _ world: LedgerWorld, clientID: String) async throws -> String? {
        let (user, client, now) = (Principal.user(world.userID), Principal.client(clientID), LedgerAPI.now)
        let issuer = world.api.issuer
        switch token {
        case .none: return nil
        case .userWallet: return world.user.token
        case .userWithoutScope: return try await issuer.token(for: user, scopes: ["profile"], now: now)
        case .userWithLedgerScope: return try await issuer.token(for: user, scopes: ["wallet", "ledger:fund"], now: now)
        case .clientRead: return try await issuer.token(for: client, scopes: ["ledger:read"], now: now)
        case .clientWrite: return try await issuer.token(for: client, scopes: ["ledger:write"], now: now)
        case .clientFund: return try await issuer.token(for: client, scopes: ["ledger:fund"], now: now)
        case .clientWithoutScope: return try await issuer.token(for: client, scopes: ["wallet"], now: now)
        case .staffWithRole: return world.staff.token
        case .staffOtherRole: return try await issuer.token(for: user, scopes: ["ledger:operate"], roles: ["support"], now: now)
        case .staffWithoutRole: return try await issuer.token(for: user, scopes: ["ledger:operate"], now: now)
        case .expired: return try await issuer.token(for: user, scopes: ["wallet"], lifetime: 60, now: now - 3_600)
        case .forged: return try await world.api.credentials.forger.token(for: user, scopes: ["wallet"], now: now)
        case .otherIssuer: return try await world.api.credentials.otherIssuer.token(for: user, scopes: ["wallet"], now: now)
        }
    }

    /// The interfaces page, read independently of the grants in the code.
    private static func expected(_ row: Row, _ caller: String, _ token: Token) -> (status: Int, code: String?) {
        let open: Bool
        let allowed: Set<Token>
        let wrongKind: Set<Token>
        let users: Set<Token> = [.userWallet, .userWithoutScope, .staffWithRole, .staffOtherRole]
        let clients: Set<Token> = [.clientRead, .clientWrite, .clientFund, .clientWithoutScope]
        switch caller {
        case "mobile-bff":
            open = row.pairs.contains(.user)
            allowed = [.userWallet]
            wrongKind = clients
        case "api-gateway":
            let scopes: [(Pair, Token)] = [(.clientReads, .clientRead), (.clientWrites, .clientWrite), (.clientFunds, .clientFund)]
            allowed = Set(scopes.filter { row.pairs.contains($0.0) }.map(\.1))
            open = !allowed.isEmpty
            wrongKind = users
        case "backoffice", "fleetctl":
            open = row.pairs.contains(.staff)
            allowed = [.staffWithRole]
            wrongKind = clients
        case LedgerAPI.uninvited: (open, allowed, wrongKind) = (false, [], [])
        default: return (401, "signature_invalid")
        }
        guard open else { return (403, "caller_not_allowed") }
        switch token {
        case .none: return (401, "token_missing")
        case .expired: return (401, "token_expired")
        case .forged, .otherIssuer, .userWithLedgerScope, .staffWithoutRole: return (401, "token_invalid")
        case .userWallet, .userWithoutScope, .clientRead, .clientWrite, .clientFund, .clientWithoutScope, .staffWithRole, .staffOtherRole:
            if wrongKind.contains(token) { return (403, "caller_not_allowed") }
            return allowed.contains(token) ? (row.success, nil) : (403, "insufficient_scope")
        }
    }
}
