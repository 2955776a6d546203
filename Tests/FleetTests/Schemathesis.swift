import AccessTokens
import Foundation
import RequestSigning
import TestSupport
import Testing

/// Schemathesis against a service of the fleet, as several parties at once.
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

    /// By the name that its document and its callers' keys have for it.
    let service: String
    let port: Int
    /// Where the callers' keys are, and where each run leaves its files.
    let folder: String
    let issuer: LocalTokenIssuer

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
        #expect(try run(in: "").faults(of: answers.values.reduce(into: Set()) { $0.formUnion($1) }) == [])
        return answers
    }

    private func run(as party: Party, ids: [String]) async throws -> Set<String> {
        let run = run(in: "schemathesis-\(party.name)")
        let token = try await issuer.token(
            for: party.principal, scopes: party.scopes, roles: party.roles, lifetime: 3_600, now: LedgerFleet.seconds())
        let description = Description(
            service: service, keys: SigningKeyFolder(path: folder).path(of: party.caller), token: token, currency: "EUR",
            tally: run.tally, namesOwner: party.namesOwner, ids: ids)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let (answers, findings) = try await run.ask(as: encoder.encode(description))
        if let findings { Issue.record("\(service) as \(party.name): \(findings)") }
        return answers
    }

    private func run(in name: String) -> SchemathesisRun { SchemathesisRun(service: service, port: port, folder: "\(folder)/\(name)") }
}
