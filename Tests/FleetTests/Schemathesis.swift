import AccessTokens
import Foundation
import RequestSigning
import TestSupport
import Testing

/// Schemathesis reads a service's OpenAPI document and asks the running service whatever it allows and forbids, thousands of times.
/// A new route is asked as soon as it is in the document.
struct Schemathesis: Sendable {
    /// In whose name requests are made: a caller with the token that it brings.
    struct Party: Sendable {
        let name: String
        let caller: String
        let principal: Principal
        let scopes: [String]
        var roles: [String] = []
        /// Whether it must say whose wallets it wants to see.
        var namesOwner = false
    }

    /// What `hooks.py` is told.
    private struct Description: Encodable {
        let service: String
        let keys: String
        let token: String
        let currency: String
        let tally: String
        let namesOwner: Bool
        let ids: [String]
    }

    private static let scripts = RepositoryRoot.path("Tests/FleetTests/schemathesis")

    /// By the name that its document and its callers' keys have for it.
    let service: String
    let port: Int
    /// Where the callers' keys are, and where each run leaves its files.
    let folder: String
    let issuer: LocalTokenIssuer

    private var document: String { RepositoryRoot.path("Shared/Contracts/OpenAPI/\(service).json") }

    /// Asks as all parties at once, and judges what holds for every service.
    ///
    /// - Parameter ids: of what exists, for one party.
    /// - Returns: by party what was answered, as `201 POST /v1/transfers`.
    @discardableResult
    func ask(as parties: [Party], ids: @escaping @Sendable () async throws -> [String]) async throws -> [String: Set<String>] {
        let answers = try await withThrowingTaskGroup(of: (party: String, answers: Set<String>).self) { group in
            for party in parties { group.addTask { (party.name, try await run(as: party, ids: try await ids())) } }
            return try await group.reduce(into: [:]) { $0[$1.party] = $1.answers }
        }
        let all = answers.values.reduce(into: Set()) { $0.formUnion($1) }
        #expect(all.filter { $0.hasPrefix("5") } == [])
        // Otherwise a route could look well because nobody ever got past its door.
        for operation in try operations() {
            #expect(all.contains { $0.hasPrefix("2") && $0.hasSuffix(" " + operation) }, "\(operation) was never carried out")
        }
        return answers
    }

    private func run(as party: Party, ids: [String]) async throws -> Set<String> {
        let folder = "\(folder)/schemathesis-\(party.name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let token = try await issuer.token(
            for: party.principal, scopes: party.scopes, roles: party.roles, lifetime: 3_600, now: LedgerFleet.seconds())
        let description = Description(
            service: service, keys: SigningKeyFolder(path: self.folder).path(of: party.caller), token: token, currency: "EUR",
            tally: "\(folder)/tally.json", namesOwner: party.namesOwner, ids: ids)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try encoder.encode(description).write(to: URL(fileURLWithPath: "\(folder)/party.json"))
        do {
            try await Shell.run([
                "/usr/bin/env", "--chdir=\(folder)", "FLORIN_PARTY=\(folder)/party.json", "SCHEMATHESIS_HOOKS=hooks",
                "PYTHONPATH=\(Self.scripts)", "PYTHONDONTWRITEBYTECODE=1", "HOME=\(folder)",
                RepositoryRoot.path(".local/python-schemathesis/venv/bin/st"), "--config-file", "\(Self.scripts)/schemathesis.toml", "run",
                document, "--url", "http://127.0.0.1:\(port)",
            ])
        } catch {
            Issue.record("\(service) as \(party.name): \(Self.findings("\(error)"))")
        }
        return Set(try Self.object("\(folder)/tally.json").keys)
    }

    /// Every operation of the document, as `POST /v1/transfers`.
    private func operations() throws -> [String] { try DocumentedAPI(path: document).statuses.keys.sorted() }

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
    static func install() async throws {
        try await Shell.run(
            ["/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-schemathesis", "\(scripts)/requirements.txt"],
            environment: ProcessInfo.processInfo.environment)
    }
}
