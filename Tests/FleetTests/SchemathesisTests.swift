import AccessTokens
import Contracts
import Foundation
import RequestSigning
import ServiceClient
import TestSupport
import Testing

/// Schemathesis reads the OpenAPI document and asks a running ledger whatever the document allows and forbids, thousands of times.
/// A new route is asked as soon as it is in the document.
@Suite("The document against the running service")
struct SchemathesisTests {
    private static let folder = RepositoryRoot.path("Tests/FleetTests/schemathesis")
    private static let document = RepositoryRoot.path("Shared/Contracts/OpenAPI/wallet-ledger.json")

    /// In whose name requests are made: each caller with the token that it brings.
    private struct Party {
        let name: String
        let caller: String
        let principal: Principal
        let scopes: [String]
        var roles: [String] = []
    }

    /// What `hooks.py` is told.
    private struct Description: Encodable {
        let keys: String
        let token: String
        let currency: String
        let tally: String
        /// Whether it must say whose wallets it wants to see.
        let namesOwner: Bool
        let ids: [String]
    }

    private static let parties = [
        Party(
            name: "client", caller: "api-gateway", principal: .client("bank"), scopes: ["ledger:read", "ledger:write", "ledger:fund"]),
        Party(name: "user", caller: "mobile-bff", principal: .user(LedgerFleet.user), scopes: ["wallet"]),
        Party(
            name: "staff", caller: "backoffice", principal: .user("usr_01jd6r3v8k9m2n4p5q6r7s8t9w"), scopes: ["ledger:operate"],
            roles: ["ledger-operator"]),
    ]

    @Test(
        "no answer is one that the document does not promise, for a client, a user and staff, behind PgBouncer",
        .enabled("Schemathesis can be installed") { await OutsideTool.isAvailable(install) })
    func document() async throws {
        try await Self.install()
        try await LedgerFleet.with(replicas: 1, isPooled: true) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let answers = try await withThrowingTaskGroup(of: Set<String>.self) { group in
                for party in Self.parties { group.addTask { try await Self.run(party, fleet) } }
                return try await group.reduce(into: Set<String>()) { $0.formUnion($1) }
            }
            #expect(answers.filter { $0.hasPrefix("5") } == [])
            // Otherwise a route could look well because nobody ever got past its door.
            for operation in try Self.operations() {
                #expect(answers.contains { $0.hasPrefix("2") && $0.hasSuffix(" " + operation) }, "\(operation) was never carried out")
            }
            let verified = try fleet.verify()
            #expect(verified.code == 0, "\(verified.output)")
        }
    }

    /// - Returns: what was answered, as `201 POST /v1/transfers`.
    private static func run(_ party: Party, _ fleet: LedgerFleet) async throws -> Set<String> {
        let folder = "\(fleet.folder)/schemathesis-\(party.name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ids = try await seed(fleet)
        let token = try await fleet.issuer.token(
            for: party.principal, scopes: party.scopes, roles: party.roles, lifetime: 3_600, now: LedgerFleet.seconds())
        let description = Description(
            keys: SigningKeyFolder(path: fleet.folder).path(of: party.caller), token: token, currency: "EUR",
            tally: "\(folder)/tally.json", namesOwner: party.name == "staff", ids: ids)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try encoder.encode(description).write(to: URL(fileURLWithPath: "\(folder)/party.json"))
        do {
            try await Shell.run([
                "/usr/bin/env", "--chdir=\(folder)", "FLORIN_PARTY=\(folder)/party.json", "SCHEMATHESIS_HOOKS=hooks",
                "PYTHONPATH=\(Self.folder)", "PYTHONDONTWRITEBYTECODE=1", "HOME=\(folder)",
                RepositoryRoot.path(".local/python-schemathesis/venv/bin/st"), "--config-file", "\(Self.folder)/schemathesis.toml", "run",
                document, "--url", "http://127.0.0.1:\(fleet.ports[0])",
            ])
        } catch {
            Issue.record("as \(party.name): \(findings("\(error)"))")
        }
        return Set(try object("\(folder)/tally.json").keys)
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

    /// Every operation of the document, as `POST /v1/transfers`.
    private static func operations() throws -> [String] {
        let methods: Set<String> = ["get", "put", "post", "delete", "patch"]
        let paths = try #require(try object(document)["paths"] as? [String: [String: any Sendable]])
        return paths.flatMap { path, item in
            item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
        }.sorted()
    }

    private static func object(_ path: String) throws -> [String: any Sendable] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: any Sendable])
    }

    /// The part of a long report that says what is wrong, without the rules and empty lines between.
    private static func findings(_ report: String) -> String {
        let report = report.range(of: "= FAILURES =").map { report[$0.upperBound...] } ?? report[...]
        let lines = report.split(separator: "\n").filter { !$0.allSatisfy { "=_- ".contains($0) } }
        return String(lines.joined(separator: "\n").prefix(20_000))
    }

    /// It needs pip's settings from the environment.
    private static func install() async throws {
        try await Shell.run(
            ["/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-schemathesis", "\(folder)/requirements.txt"],
            environment: ProcessInfo.processInfo.environment)
    }
}
