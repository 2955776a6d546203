import Fleetctl
import Testing

@Suite("Demo: programs that it starts")
struct DemoChildProcessTests {
    private static let patience = Duration.seconds(60)

    @Test("the exit code and all that was printed come back")
    func outcome() async throws {
        let outcome = try await ChildProcess.run(
            "/bin/sh", ["-c", "echo out; echo err >&2; exit 64"], environment: [:], limit: Self.patience)
        #expect(outcome.exitCode == 64)
        #expect(outcome.output.split(separator: "\n").sorted() == ["err", "out"])
    }

    @Test("a program gets the given variables and no others")
    func environment() async throws {
        let outcome = try await ChildProcess.run("/usr/bin/env", [], environment: ["ONLY": "this=one"], limit: Self.patience)
        #expect(outcome.output == "ONLY=this=one\n")
    }

    @Test("a program that does not end is killed at its limit")
    func limit() async throws {
        let outcome = try await ChildProcess.run("/bin/sleep", ["60"], environment: [:], limit: .milliseconds(50))
        #expect(outcome.exitCode == nil)
    }

    @Test("what a program prints is read to its end and kept up to a bound")
    func bound() async throws {
        let outcome = try await ChildProcess.run(
            "/bin/sh", ["-c", "head -c 1000000 /dev/zero | tr '\\0' x"], environment: ["PATH": "/usr/bin:/bin"], limit: Self.patience)
        #expect(outcome.exitCode == 0)
        #expect(outcome.output.utf8.count == 256 * 1024)
    }

    @Test("a program that is not there is a failure")
    func missing() async {
        await #expect(throws: ChildProcess.Failure.self) {
            try await ChildProcess.run("/nonexistent/program", [], environment: [:], limit: Self.patience)
        }
    }
}

@Suite("Demo: where it finds the fleet")
struct DemoSettingsTests {
    private static let complete = [
        "FLORIN_ENVIRONMENT": "local", "FLORIN_LEDGER_URL": "http://127.0.0.1:8203", "FLORIN_LEDGER_EXECUTABLE": "/r/bin/wallet-ledger",
        "FLORIN_KEYS_DIRECTORY": "/keys", "FLORIN_DATABASES_FILE": "/databases.env",
        "FLORIN_OPS_RISK_URL": "http://127.0.0.1:8204", "FLORIN_IDENTITY_URL": "http://127.0.0.1:8201",
        "FLORIN_FLEET_COMMAND": "/r/fleet.sh", "FLORIN_RUN_DIRECTORY": "/run",
    ]
    private static let databases =
        "# roles\nWALLET_LEDGER_SERVING_URL=postgres://a?b=c\n\nOPS_RISK_SERVING_URL=postgres://d\nOPS_RISK_OWNER_URL=postgres://e\nbroken\n"

    @Test("the ledger's executable is started with its own database, the port that is taken, and the migrations beside it")
    func environment() throws {
        let settings = try DemoSettings(environment: Self.complete) { $0 == "/databases.env" ? Self.databases : nil }
        let environment = settings.ledgerEnvironment
        #expect(environment["LEDGER_DATABASE_URL"] == "postgres://a?b=c")
        #expect(environment["HTTP_PORT"] == "8203")
        #expect(environment["TOKEN_JWKS"] == "http://127.0.0.1:8201/oauth2/jwks")
        #expect(environment["MIGRATIONS_DIRECTORY"] == "/r/migrations")
        #expect(environment["OPS_RISK_DATABASE_URL"] == nil)
        #expect(settings.foreignDatabaseURL == "postgres://d")
    }

    @Test("a variable that is missing is named", arguments: complete.keys.filter { $0 != "FLORIN_ENVIRONMENT" }.sorted())
    func missing(name: String) {
        var environment = Self.complete
        environment[name] = nil
        #expect {
            try DemoSettings(environment: environment) { _ in Self.databases }
        } throws: {
            "\($0)".hasPrefix("\(name) is not set")
        }
    }

    @Test("a database file without the roles is refused by what it lacks, and without its values")
    func roles() {
        #expect {
            try DemoSettings(environment: Self.complete) { _ in "WALLET_LEDGER_SERVING_URL=postgres://secret" }
        } throws: {
            "\($0)" == "/databases.env has no OPS_RISK_SERVING_URL"
        }
    }
}
