import AccessTokens
import Contracts
import Foundation
import ServiceClient
import StrictJSON
import TestSupport
import Testing

@Suite(
    "The documents against the running services",
    .enabled("Schemathesis can be installed") { await OutsideTool.isAvailable(SchemathesisRun.install) })
struct SchemathesisTests {
    private static let ledgerParties = [
        Schemathesis.Party(
            name: "client", caller: "api-gateway", principal: .client("bank"), scopes: ["ledger:read", "ledger:write", "ledger:fund"]),
        Schemathesis.Party(name: "user", caller: "mobile-bff", principal: .user(LedgerFleet.user), scopes: ["wallet"]),
        Schemathesis.Party(
            name: "staff", caller: "backoffice", principal: .user("usr_01jd6r3v8k9m2n4p5q6r7s8t9w"), scopes: ["ledger:operate"],
            roles: ["admin"], namesOwner: true),
    ]

    @Test("wallet-ledger: no answer is one that the document does not promise, for a client, a user and staff, behind PgBouncer")
    func ledger() async throws {
        try await SchemathesisRun.install()
        try await LedgerFleet.with(replicas: 1, isPooled: true) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let schemathesis = Schemathesis(service: "wallet-ledger", port: fleet.ports[0], folder: fleet.folder, issuer: fleet.issuer)
            try await schemathesis.ask(as: Self.ledgerParties) { try await Self.seed(fleet) }
            let verified = try fleet.verify()
            #expect(verified.code == 0, "\(verified.output)")
        }
    }

    private static let holdCount = 30

    /// Wallets of the user that the client opened, with and without money, transfers and holds between them.
    private static func seed(_ fleet: LedgerFleet) async throws -> [String] {
        let funded = try await fleet.openWallets(6, funds: 100_000)
        let empty = try await fleet.openWallets(4, funds: 0)
        let (client, token) = (try fleet.client("mobile-bff", replica: 0), try await fleet.userToken())
        var transfers: [String] = []
        for index in funded.indices {
            let request = LedgerFleet.transfer(
                from: funded[index], to: funded[(index + 1) % funded.count], key: UUID().uuidString, token: token)
            transfers.append(try #require(try JSONParser.parse(await client.send(request).body)["id"]?.stringValue))
        }
        // Enough that some are still open when it is their turn to be captured or voided.
        var holds: [String] = []
        for index in 0..<Self.holdCount {
            var request = LedgerFleet.transfer(
                from: funded[index % funded.count], to: funded[(index + 1) % funded.count], key: UUID().uuidString, token: token)
            request.target = "/v1/holds"
            holds.append(try #require(try JSONParser.parse(await client.send(request).body)["id"]?.stringValue))
        }
        return funded + empty + transfers + holds + [LedgerFleet.user]
    }

    private static let operators = [
        Schemathesis.Party(
            name: "backoffice", caller: "backoffice", principal: .user("usr_01jd6r3v8k9m2n4p5q6r7s8t9x"), scopes: ["risk:operate"],
            roles: ["risk-analyst"]),
        Schemathesis.Party(
            name: "fleetctl", caller: "fleetctl", principal: .user("usr_01jd6r3v8k9m2n4p5q6r7s8t9y"), scopes: ["risk:operate"],
            roles: ["risk-analyst"]),
    ]
    private static let outsiders = [
        Schemathesis.Party(
            name: "other-staff", caller: "backoffice", principal: .user("usr_01jd6r3v8k9m2n4p5q6r7s8t9z"), scopes: ["ledger:operate"],
            roles: ["admin"]),
        Schemathesis.Party(name: "client", caller: "fleetctl", principal: .client("bank"), scopes: ["risk:operate"], roles: ["risk-analyst"]),
    ]

    @Test("ops-risk: no answer is one that the document does not promise, for its operators and for others, behind PgBouncer")
    func opsRisk() async throws {
        try await SchemathesisRun.install()
        try await ConsumerFleet.with(isPooled: true) { fleet in
            let port = try FreePort.any()
            let process = try fleet.consumer(port: port, settings: ConsumerFleet.bothRules)
            let ids = try await fleet.raiseAlerts()
            try #require(try await eventually { (try? await PlainExchange(target: "/readyz").send(to: process.adminPort).status) == 200 })
            let schemathesis = Schemathesis(service: "ops-risk", port: port, folder: fleet.folder, issuer: fleet.issuer)
            let answers = try await schemathesis.ask(as: Self.operators + Self.outsiders) { ids }
            // They learn nothing of what exists, nor what is wrong with what they ask; which methods a path has is no secret (405, OPTIONS).
            let silent = ["401", "403", "405", "204 OPTIONS"]
            for party in Self.outsiders {
                let told = try #require(answers[party.name]).filter { answer in !silent.contains { answer.hasPrefix($0) } }
                #expect(told == [], "\(party.name)")
            }
            try await fleet.expectAlertsResolvedOnce(by: Self.operators)
        }
    }
}
