import Fleetctl
import Foundation
import RequestSigning
import ServiceIdentity
import ServiceRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Demo: how it ends")
final class DemoRunTests {
    private struct Ending {
        let exit: ProcessExit
        let printed: [String]
        let complained: [String]
    }

    private static let databases = ["WALLET_LEDGER_SERVING_URL", "OPS_RISK_SERVING_URL", "OPS_RISK_OWNER_URL"]
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("florin-demo-\(UUID().uuidString)").path
    private let environment: [String: String]
    private let port: Int

    /// Keys that can be used, of a fleet of which nothing is up.
    init() throws {
        var generator = SystemRandomNumberGenerator()
        let keys = try SigningKeyGenerator.generate(
            pairs: SigningKeyGenerator.fleet, now: Int64(Date().timeIntervalSince1970), using: &generator)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try SigningKeyFolder(path: "\(folder)/keys").write(keys, replacing: false)
        port = try FreePort.any()
        let urls = Self.databases.map { [port] in "\($0)=postgres://demo:hunter2@127.0.0.1:\(port)/demo" }
        try Data(urls.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/databases.env"))
        environment = [
            "FLORIN_ENVIRONMENT": "local", "FLORIN_LEDGER_URL": "http://127.0.0.1:\(port)", "FLORIN_OPS_RISK_URL": "http://127.0.0.1:\(port)",
            "FLORIN_IDENTITY_URL": "http://127.0.0.1:\(port)",
            "FLORIN_LEDGER_EXECUTABLE": "/nonexistent/bin/wallet-ledger", "FLORIN_FLEET_COMMAND": "/nonexistent", "FLORIN_RUN_DIRECTORY": folder,
            "FLORIN_KEYS_DIRECTORY": "\(folder)/keys",
            "FLORIN_DATABASES_FILE": "\(folder)/databases.env",
        ]
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func perform(_ changes: [String: String] = [:]) async -> Ending {
        let printed = Mutex<[String]>([])
        var complained: [String] = []
        let exit = await DemoRun.perform(
            environment: environment.merging(changes) { $1 }, print: { line in printed.withLock { $0.append(line) } },
            reportError: { complained.append($0) })
        return Ending(exit: exit, printed: printed.withLock { $0 }, complained: complained)
    }

    @Test("a service that is down is exit 3 and named, and so is the step that needed it")
    func down() async {
        let ending = await perform()
        #expect(ending.exit == .unreachable && ending.printed == ["✗ two people sign up, and an app signs each of them in"])
        #expect(ending.complained.count == 1)
        #expect(ending.complained[0].hasPrefix("fleetctl demo: cannot reach identity at 127.0.0.1:\(port): "), "\(ending.complained)")
    }

    @Test("one that does not answer too", arguments: [ScriptedServer.Step.drop, .breakOff])
    func unanswered(step: ScriptedServer.Step) async throws {
        try await ScriptedServer.running([step]) { _, port in
            let ending = await perform(["FLORIN_IDENTITY_URL": "http://127.0.0.1:\(port)"])
            #expect(ending.exit == .unreachable)
            #expect(ending.complained.first?.hasPrefix("fleetctl demo: cannot reach identity at 127.0.0.1:\(port): ") == true)
        }
    }

    @Test("a step that goes otherwise is exit 1, with what was expected and what was got")
    func failed() async throws {
        try await ScriptedServer.running([.answer(500)]) { _, port in
            let ending = await perform(["FLORIN_IDENTITY_URL": "http://127.0.0.1:\(port)"])
            #expect(ending.exit == .failure && ending.complained.isEmpty)
            #expect(ending.printed == ["✗ two people sign up, and an app signs each of them in\n  expected: 202\n  got:      500"])
        }
    }

    @Test(
        "what it cannot start with is exit 64 and one line that names it",
        arguments: ["FLORIN_LEDGER_URL", "FLORIN_KEYS_DIRECTORY", "FLORIN_DATABASES_FILE"])
    func configuration(name: String) async {
        let ending = await perform([name: "/nonexistent"])
        #expect(ending.exit == .usage && ending.printed.isEmpty && ending.complained.count == 1)
        #expect(ending.complained[0].hasPrefix("fleetctl demo: ") && ending.complained[0].contains(name), "\(ending.complained)")
    }

    @Test("a database that is down is named outside of a step as well, without its password")
    func database() async throws {
        let settings = try DemoSettings(environment: environment) { try? String(contentsOfFile: $0, encoding: .utf8) }
        let error = await #expect(throws: UnreachableDependency.self) { try await DemoDatabase(settings).mendAlerts() }
        #expect(error?.name == "Postgres at 127.0.0.1:\(port)" && error?.description.contains("hunter2") == false)
        #expect(error.map(ProcessExit.init(endingWith:)) == .unreachable)
    }

    @Test("a program of ours that cannot reach something is no failed step: the last line says what it was")
    func program() async throws {
        let script = "\(folder)/fleet.sh"
        try Data("#!/bin/sh\necho started; echo ops-risk: cannot reach Postgres at db:5432 >&2; exit $3\n".utf8).write(
            to: URL(fileURLWithPath: script))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        let settings = try DemoSettings(environment: environment.merging(["FLORIN_FLEET_COMMAND": script]) { $1 }) {
            try? String(contentsOfFile: $0, encoding: .utf8)
        }
        #expect(try await DemoFleet(settings).run("ops-risk", ["1"]).exitCode == 1)
        let error = await #expect(throws: UnreachableDependency.self) { try await DemoFleet(settings).run("ops-risk", ["3"]) }
        #expect(error?.description == "cannot reach what ops-risk needs: ops-risk: cannot reach Postgres at db:5432")
    }
}
