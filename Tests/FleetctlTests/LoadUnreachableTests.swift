import Fleetctl
import ServiceRuntime
import TestSupport
import Testing

@Suite("Load: what cannot be reached")
struct LoadUnreachableTests {
    private static let fleetctl = RepositoryRoot.path(".build/debug/fleetctl")

    private func run(_ command: String, _ environment: [String: String]) async throws -> ChildProcess.Outcome {
        try await ChildProcess.run(Self.fleetctl, ["load", "broker", command, "--events", "1"], environment: environment, limit: .seconds(60))
    }

    @Test("a broker that is down is exit 3 and one line that names it, without the password", arguments: ["publish", "consume"])
    func broker(command: String) async throws {
        let port = try FreePort.any()
        let outcome = try await run(command, ["RABBITMQ_URL": "amqp://load:hunter2@127.0.0.1:\(port)"])
        #expect(outcome.exitCode == ProcessExit.unreachable.rawValue)
        #expect(outcome.output.hasPrefix("fleetctl load broker \(command): cannot reach RabbitMQ at 127.0.0.1:\(port): "), "\(outcome.output)")
        #expect(outcome.output.split(separator: "\n").count == 1 && !outcome.output.contains("hunter2"))
    }

    @Test("settings that can't be used are exit 64 and one line", arguments: ["publish", "consume"])
    func settings(command: String) async throws {
        let outcome = try await run(command, [:])
        #expect(outcome.exitCode == ProcessExit.usage.rawValue)
        #expect(outcome.output.hasPrefix("fleetctl load broker \(command): RABBITMQ_URL is missing: "), "\(outcome.output)")
        #expect(outcome.output.split(separator: "\n").count == 1)
    }

    @Test("so is a ledger that is down")
    func ledger() async throws {
        let port = try FreePort.any()
        let target = try LoadTarget(url: "http://127.0.0.1:\(port)")
        let error = await #expect(throws: UnreachableDependency.self) {
            try await target.run([[1]], connections: 2, limit: .seconds(1), expectedStatus: 201)
        }
        #expect(error?.name == "wallet-ledger at 127.0.0.1:\(port)")
    }
}
