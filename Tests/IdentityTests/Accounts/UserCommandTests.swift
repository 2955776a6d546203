import Contracts
import Foundation
import Logging
import Observability
import Postgres
import RequestSigning
import Sealing
import ServiceIdentity
import ServiceRuntime
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import Identity

@Suite("identity users") struct UserCommandTests {
    private let fixture: AccountFixture
    private let folder: TemporaryFolder
    private let environment: [String: String]

    init() async throws {
        fixture = try await AccountFixture()
        folder = try TemporaryFolder("users")
        let credentials = try CallerCredentials(
            callee: Identity.name, pairs: [.init(caller: "api-gateway", callee: Identity.name)], folder: folder.path)
        let publicKey = "\(folder.path)/sealing.public.json"
        try SealingKeyGenerator(privatePath: "\(folder.path)/sealing.private.json", publicPath: publicKey).make(id: "test")
        environment = credentials.environment(port: 1).merging([
            "IDENTITY_DATABASE_URL": fixture.base.database.servingURL, "NOTIFICATION_SEALING_KEY_FILE": publicKey,
        ]) { $1 }
    }

    private final class Output: Sendable {
        let lines = Mutex<[String]>([])
        let complaints = Mutex<[String]>([])
    }

    private func run(
        _ changes: [String: String] = [:], _ work: (UserCommands) async -> ProcessExit
    ) async -> (exit: ProcessExit, printed: [String], complained: [String]) {
        let output = Output()
        let commands = UserCommands(
            environment: environment.merging(changes) { $1 },
            context: { service, settings in
                ProcessContext(
                    service: service, settings: settings, logger: Logger(label: service) { _ in SwiftLogNoOpLogHandler() },
                    metrics: PrometheusRegistry(), readiness: Readiness(), tracer: nil)
            }, print: { line in output.lines.withLock { $0.append(line) } },
            reportError: { line in output.complaints.withLock { $0.append(line) } })
        let exit = await work(commands)
        return (exit, output.lines.withLock { $0 }, output.complaints.withLock { $0 })
    }

    @Test("staff are created, get and lose roles, are listed without their address, and disabled, each by a line")
    func all() async throws {
        let created = await run { await $0.createStaff(email: "ops@example.com", role: .support, name: "Olu", locale: "de", by: "ana@host") }
        #expect(created.exit == .success && created.complained.isEmpty, "\(created)")
        let line = try #require(created.printed.first)
        let user = try #require(UserID(line.prefix { $0 != " " }))
        let again = await run { await $0.createStaff(email: "OPS@example.com", role: .admin, name: nil, locale: nil, by: "ana@host") }
        #expect(again.exit == .failure && again.complained.joined().contains(user.description) && again.printed.isEmpty)
        #expect(!again.complained.joined().lowercased().contains("example.com"))
        #expect(await run { await $0.grant(.auditor, to: user, by: "bo@host") }.printed == ["\(user)  auditor  granted"])
        #expect(await run { await $0.grant(.auditor, to: user, by: "bo@host") }.printed == ["\(user)  auditor  unchanged"])
        let listed = await run { await $0.list(email: nil, role: .auditor, status: .active, limit: 10, json: true) }
        let json = try JSONParser.parse(Array((listed.printed.first ?? "").utf8))
        #expect(json.objectValue?.map(\.name) == ["user_id", "status", "roles", "created_at"])
        #expect(json["roles"]?.arrayValue?.compactMap(\.stringValue) == ["support", "auditor"])
        let found = await run { await $0.list(email: " OPS@example.com", role: nil, status: nil, limit: 10, json: false) }
        #expect(found.printed.count == 1 && found.printed[0].hasPrefix("\(user)  active  support,auditor"))
        #expect(await run { await $0.revoke(.auditor, from: user, by: "bo@host") }.printed == ["\(user)  auditor  revoked"])
        #expect(await run { await $0.revoke(.auditor, from: user, by: "bo@host") }.printed == ["\(user)  auditor  unchanged"])
        #expect(await run { await $0.disable(user, by: "cy@host") }.printed == ["\(user)  disabled"])
        let refused = await run { await $0.grant(.admin, to: user, by: "cy@host") }
        #expect(refused.exit == .failure && refused.complained == ["identity: the user is not active"])
        let people = try await fixture.base.query("SELECT DISTINCT requested_by FROM operator_acts ORDER BY 1") { row in
            try row.decode(String.self)
        }
        #expect(people == ["ana@host", "bo@host", "cy@host"])
    }

    @Test("a sealing key that can't be read ends it before the database is asked")
    func keys() async throws {
        let user = try await fixture.makeUser("ana@example.com")
        let refused = await run(["NOTIFICATION_SEALING_KEY_FILE": "/nowhere"]) { await $0.disable(user, by: "ana@host") }
        #expect(refused.exit != .success && refused.complained.joined().contains("NOTIFICATION_SEALING_KEY_FILE"))
        #expect(try await fixture.base.count("users", where: "status = 'disabled'") == 0)
    }
}
