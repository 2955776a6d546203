import AccessTokens
import Contracts
import Foundation
import Postgres
import ServiceClient
import StrictJSON
import TestSupport
import Testing

extension LedgerFleet {
    /// Opens wallets of the one user and funds them, through the API.
    func openWallets(_ count: Int, funds: Int64) async throws -> [String] {
        let token = try await issuer.token(
            for: .client("bank"), scopes: ["ledger:write", "ledger:fund"], lifetime: 3_600, now: Self.seconds())
        let client = try client("api-gateway", replica: 0)
        func post(_ target: String, _ body: String) async throws -> String {
            let answer = try await client.send(
                ServiceRequest(
                    method: "POST", target: target, body: Array(body.utf8), deadline: .now + .seconds(10), idempotencyKey: UUID().uuidString,
                    authorization: "Bearer \(token)"))
            try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
            return try JSONParser.parse(answer.body)["id"]?.stringValue ?? ""
        }
        var ids: [String] = []
        for _ in 0..<count {
            let id = try await post("/v1/wallets", #"{"owner_id":"\#(Self.user)","currency":"EUR"}"#)
            if funds > 0 { _ = try await post("/v1/deposits", #"{"wallet_id":"\#(id)","amount":\#(funds),"currency":"EUR"}"#) }
            ids.append(id)
        }
        return ids
    }

    /// The user's token, as mobile-bff forwards it.
    func userToken() async throws -> String {
        try await issuer.token(for: .user(Self.user), scopes: ["wallet"], lifetime: 3_600, now: Self.seconds())
    }

    /// A transfer of one cent.
    static func transfer(from: String, to: String, key: String, token: String) -> ServiceRequest {
        let body = #"{"source_wallet_id":"\#(from)","destination_wallet_id":"\#(to)","amount":1,"currency":"EUR"}"#
        return ServiceRequest(
            method: "POST", target: "/v1/transfers", body: Array(body.utf8), deadline: .now + .seconds(20), idempotencyKey: key,
            authorization: "Bearer \(token)")
    }

    /// One number out of the database, read as superuser.
    func number(_ sql: String) async throws -> Int64 {
        let connection = try await server.superuserConnection(database: database.name)
        let value = try await connection.withSession { session in
            try session.query(PostgresQuery(unsafeSQL: sql))[0].decode(Int64.self)
        }
        await connection.close()
        return value
    }

    /// Polls an admin route until it answers with the status.
    func wait(_ index: Int, _ path: String, for status: Int, within limit: Duration = .seconds(30)) async throws {
        guard try await eventually(within: limit, every: .milliseconds(50), { try await self.status(index, path) == status }) else {
            throw NotReady()
        }
    }
}
