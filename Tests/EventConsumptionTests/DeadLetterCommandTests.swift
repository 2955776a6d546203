import ArgumentParser
import Contracts
import EventBroker
import Foundation
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import EventConsumption

/// A service like any other, as far as its commands see it.
enum TestService: EventConsumingService {
    static let name = "ops-risk"

    struct Settings: EventConsumingConfiguration {
        static let schema = DatabaseSchema(service: TestService.name, shared: ["consumption"])
        static let consumer = Setting<String>.text("TEST_CONSUMER", "The consumer of the test.", default: nil)
        static let defaultAdminPort = 9_999
        static let declared: [any SettingDeclaration] = schema.declared + ConsumptionSettings.declared + [consumer]

        let database: ServiceDatabase
        let consumption: ConsumptionSettings
        let consumer: String

        init(_ values: SettingValues) throws(InvalidConfiguration) {
            // The test's own migrations lie elsewhere than a service's.
            database = ServiceDatabase(
                service: TestService.name, variable: Self.schema.variable, url: values[Self.schema.url], mode: values[DatabaseSchema.isolation],
                environment: values[FlorinEnvironment.setting], phase: .serve, folders: ConsumptionFixture.migrations)
            consumption = ConsumptionSettings(values)
            consumer = values[Self.consumer]
        }
    }

    static func subscription(_ settings: Settings, _ context: ProcessContext) throws -> EventSubscription {
        // Fails as long as the number is among the faults.
        let handler = TestHandler { event, session in
            guard try session.query("SELECT 1 FROM faults WHERE number = \(Int64(event.payload))").rowCount == 0 else {
                throw EventFailure.refused("a fault")
            }
        }
        return EventSubscription(
            queue: EventConsumerQueue(service: settings.consumer, patterns: ["#"]), handlers: [handler.eventHandler(of: settings.consumer)])
    }

    static func compose(_ settings: Settings, _ context: ProcessContext) async throws -> ComposedProcess {
        ComposedProcess(services: [], healthChecks: [])
    }
}

@Suite struct DeadLetterCommandTests {
    let fixture: ConsumptionFixture
    private let folder: TemporaryFolder

    init() async throws {
        fixture = try await ConsumptionFixture()
        folder = try TemporaryFolder("desk")
        let secret = Data(repeating: 1, count: 32).base64EncodedString()
        try Data("{\"keys\":[{\"keyid\":\"first\",\"secret\":\"\(secret)\"}]}".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/keys.json"))
    }

    /// What a command printed, complained of and ended with.
    private final class Desk: Sendable {
        let lines = Mutex<[String]>([])
        let complaints = Mutex<[String]>([])
        let desk: Mutex<ConsumerDeadLetterCommands<TestService>?> = Mutex(nil)
        var printed: [String] { lines.withLock { $0 } }
        var complained: [String] { complaints.withLock { $0 } }
    }

    private func run(
        _ changes: [String: String] = [:], _ work: (ConsumerDeadLetterCommands<TestService>) async -> ProcessExit
    ) async -> (exit: ProcessExit, printed: [String], complained: [String]) {
        let environment = [
            "OPS_RISK_DATABASE_URL": fixture.database.servingURL, "DEAD_LETTER_KEYS_FILE": "\(folder.path)/keys.json", "TEST_CONSUMER": fixture.name,
        ].merging(changes) { $1 }
        let output = Desk()
        let desk = ConsumerDeadLetterCommands<TestService>(
            environment: environment,
            context: { service, settings in
                ProcessContext(service: service, settings: settings, logger: ConsumptionFixture.quiet, metrics: PrometheusRegistry())
            },
            print: { line in output.lines.withLock { $0.append(line) } }, reportError: { line in output.complaints.withLock { $0.append(line) } })
        let exit = await work(desk)
        return (exit, output.printed, output.complained)
    }

    private func options(canary: Int? = nil) -> DeadLetterReplay.Options { DeadLetterReplay.Options(canary: canary, requestedBy: "tester") }

    @Test func `a replay ends with 1 while some fail and with 0 once the cause is fixed`() async throws {
        try await fixture.bury((1...3).map { fixture.envelope($0, minute: $0) })
        try await fixture.pool.withSession { session in try session.execute("INSERT INTO faults VALUES (2)") }
        let first = await run { await $0.replay(options(), json: true) }
        #expect(first.exit == .failure)
        let results = try first.printed.map { try JSONParser.parse(Array($0.utf8)) }
        #expect(results.dropLast().map { $0["result"]?.stringValue } == ["replayed", "failed", "replayed"])
        #expect(results.last?["failed"]?.integerValue == 1 && results.last?["ending"]?.stringValue == "completed")
        try await fixture.asOwner("DELETE FROM faults")
        let second = await run { await $0.replay(options(), json: false) }
        #expect(second.exit == .success)
        #expect(second.printed.last?.contains("1 replayed") == true)
        #expect(try await fixture.numbers() == [1, 3, 2])
        let third = await run { await $0.replay(options(), json: false) }
        #expect(third.exit == .success && third.printed == ["nothing to replay"])
    }

    @Test func `a replay that finds all claimed by another run ends with 1 and says so`() async throws {
        try await fixture.bury([fixture.envelope(1), fixture.envelope(2)])
        try await fixture.database.server.holding("SELECT FROM dead_letter_events FOR UPDATE", database: fixture.database.name) {
            let blocked = await run { await $0.replay(options(), json: true) }
            #expect(blocked.exit == .failure)
            let summary = try JSONParser.parse(Array(try #require(blocked.printed.last).utf8))
            #expect(summary["claimed_by_another"]?.integerValue == 2 && summary["claimed_still_open"]?.integerValue == 2)
            #expect(blocked.complained.first?.contains("another run is replaying 2 of them") == true)
        }
        let free = await run { await $0.replay(options(), json: false) }
        #expect(free.exit == .success && free.printed.last?.contains("0 claimed by another run (0 still open)") == true)
    }

    @Test func `a listing and a plan show no body and need no key`() async throws {
        try await fixture.bury([fixture.envelope(1, minute: 1), fixture.envelope(2, minute: 2)])
        let list = await run(["DEAD_LETTER_KEYS_FILE": "/nonexistent"]) { await $0.list(DeadLetterFilter(), json: false) }
        #expect(list.exit == .success && list.printed.count == 4)
        #expect(list.printed.last == "2 dead letters of \(fixture.name)")
        let lines = await run { await $0.list(DeadLetterFilter(), json: true) }
        for line in lines.printed {
            let json = try JSONParser.parse(Array(line.utf8))
            #expect(json["class"]?.stringValue == "refused" && json["body"] == nil && json["headers"] == nil && json["data"] == nil)
        }
        #expect((list.printed + lines.printed).allSatisfy { !$0.contains("\"number\"") })
        let plan = await run { await $0.plan(DeadLetterFilter(), json: false) }
        #expect(plan.exit == .success && plan.printed.count == 3)
        #expect(plan.printed.last?.hasPrefix("2 would be replayed: 2 new") == true)
        let json = await run { await $0.plan(DeadLetterFilter(), json: true) }
        #expect(try json.printed.map { try JSONParser.parse(Array($0.utf8))["verdict"]?.stringValue } == ["new", "new"])
    }

    @Test func `a listing says under which key a body is, so that it can be told when an old key may go`() async throws {
        let rotated = try ConsumptionFixture.keys([ConsumptionFixture.key("second", 2), ConsumptionFixture.key("first", 1)])
        try await fixture.bury([fixture.envelope(1, minute: 1)])
        try await fixture.bury([fixture.envelope(2, minute: 2)], keys: rotated)
        func keysInUse() async throws -> [String?] {
            try await run { await $0.list(DeadLetterFilter(), json: true) }.printed.map {
                try JSONParser.parse(Array($0.utf8))["body_key_id"]?.stringValue
            }
        }
        #expect(try await keysInUse() == ["first", "second"])
        let summary = try await fixture.replay(keys: rotated).run(options(canary: 1)) { _, _, _ in }
        #expect(summary.replayed == 1)
        #expect(try await keysInUse() == ["second"])
    }

    @Test func `one is discarded with a note, and not replayed any more`() async throws {
        let letters = try await fixture.bury([fixture.envelope(1)])
        var filter = DeadLetterFilter()
        filter.eventID = letters[0].eventID
        let dry = await run { await $0.discard(filter, by: "tester", note: "a test", isDryRun: true, json: false) }
        #expect(dry.exit == .success && dry.printed.count == 1)
        let done = await run { await $0.discard(filter, by: "tester", note: "a test", isDryRun: false, json: true) }
        let listed = await run { await $0.list(DeadLetterFilter(status: .discarded), json: true) }
        #expect(done.exit == .success && done.printed == listed.printed)
        let again = await run { await $0.discard(filter, by: "tester", note: "a test", isDryRun: false, json: true) }
        #expect(again.exit == .failure && again.complained.count == 1)
        #expect(try await fixture.letters().map(\.status) == [.discarded])
        #expect(try await fixture.letters().first?.note == "a test")
        #expect(await run { await $0.replay(options(), json: false) }.printed == ["nothing to replay"])
        // Who names one that is not there made a mistake.
        for isPlan in [true, false] {
            let named = await run { commands in
                if isPlan { return await commands.plan(filter, json: true) }
                return await commands.replay(DeadLetterReplay.Options(filter: filter, requestedBy: "tester"), json: true)
            }
            #expect(named.exit == .failure && named.complained == ["ops-risk: there is no such open dead letter"])
        }
    }

    @Test func `what can't be reached is named and ends with 3, what is wrongly configured with 64`() async throws {
        let port = try FreePort.any()
        let away = fixture.database.servingURL.replacing(":\(fixture.database.server.port)/", with: ":\(port)/")
        let unreachable = await run(["OPS_RISK_DATABASE_URL": away]) { await $0.list(DeadLetterFilter(), json: false) }
        #expect(unreachable.exit == .unreachable)
        #expect(unreachable.complained.first?.contains("Postgres at 127.0.0.1:\(port)") == true)
        #expect(unreachable.complained.allSatisfy { !$0.contains(TestDatabase.rolePassword) })
        let missing = await run(["OPS_RISK_DATABASE_URL": ""]) { await $0.list(DeadLetterFilter(), json: false) }
        #expect(missing.exit == .usage)
        try await fixture.bury([fixture.envelope(1)])
        let keyless = await run(["DEAD_LETTER_KEYS_FILE": "\(folder.path)/none"]) { await $0.replay(options(), json: false) }
        #expect(keyless.exit == .usage && keyless.complained.first?.contains("DEAD_LETTER_KEYS_FILE") == true)
        let foreign = await run(["LEDGER_DATABASE_URL": away]) { await $0.list(DeadLetterFilter(), json: false) }
        #expect(foreign.exit == .usage)
        let superuser = await run(["OPS_RISK_DATABASE_URL": fixture.database.superuserURL]) { await $0.list(DeadLetterFilter(), json: false) }
        #expect(superuser.exit == .usage)
        #expect(try await fixture.numbers().isEmpty)
    }

    @Test(arguments: [
        ["--canary", "0"], ["--rate", "0"], ["--rate", "0.0000000001"], ["--id", "0"], ["--id", "4", "--event-id", "\(EventID(UUID()))"],
        ["--plan", "--dry-run"], ["--limit", "0"], ["--limit", "10001"], ["--event-id", "evt_1"],
        ["--event-id", "\(WalletID(UUID()))"], ["--since", "yesterday"], ["--class", "bad"], ["--note", "two\nlines"], ["--no-such"],
    ]) func `arguments that make no sense are refused with 64`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try ReplayDeadLettersCommand<ConsumerDeadLetterCommands<TestService>>.parse(arguments) }
        #expect(error.map { ReplayDeadLettersCommand<ConsumerDeadLetterCommands<TestService>>.exitCode(for: $0).rawValue } == 64)
    }

    @Test func `a record names who was named, or else the environment's user; where there is none either, somebody must be named`() throws {
        #expect(try OperatorText.person(named: nil, ["USER": "ana", "SUDO_USER": "bo"], isRecorded: true).hasPrefix("bo@"))
        #expect(try OperatorText.person(named: "ana", ["USER": "bo"], isRecorded: true) == "ana")
        #expect(try OperatorText.person(named: "ana", [:], isRecorded: true) == "ana")
        let error = #expect(throws: ValidationError.self) { try OperatorText.person(named: nil, ["USER": ""], isRecorded: true) }
        #expect(error?.message.contains("--requested-by") == true)
        // A dry run leaves no record.
        #expect(throws: Never.self) { try OperatorText.person(named: nil, [:], isRecorded: false) }
    }

    @Test func `a discard names one and says why`() {
        let id = EventID(UUID()).description
        #expect(throws: (any Error).self) { try DiscardDeadLetterCommand<ConsumerDeadLetterCommands<TestService>>.parse(["--note", "x"]) }
        #expect(throws: (any Error).self) { try DiscardDeadLetterCommand<ConsumerDeadLetterCommands<TestService>>.parse(["--event-id", id]) }
        #expect(throws: (any Error).self) {
            try DiscardDeadLetterCommand<ConsumerDeadLetterCommands<TestService>>.parse(["--event-id", id, "--id", "4", "--note", "x"])
        }
        #expect(throws: Never.self) { try DiscardDeadLetterCommand<ConsumerDeadLetterCommands<TestService>>.parse(["--id", "4", "--note", "x"]) }
        #expect(throws: Never.self) {
            try ListDeadLettersCommand<ConsumerDeadLetterCommands<TestService>>.parse(["--status", "any", "--since", "24h"])
        }
        #expect(throws: (any Error).self) { try ListDeadLettersCommand<ConsumerDeadLetterCommands<TestService>>.parse(["--status", "closed"]) }
    }
}
