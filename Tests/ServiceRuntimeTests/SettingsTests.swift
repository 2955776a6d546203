import Logging
import Observability
import ServiceRuntime
import Testing

@Suite("Settings")
struct SettingsTests {
    private func load(_ changes: [String: String]) throws -> (process: ProcessSettings, service: ExampleSettings) {
        try ExampleSettings.load(environment: ExampleSettings.minimum.merging(changes) { $1 })
    }

    @Test("what is not set, or empty, has its default")
    func defaults() throws {
        let (process, service) = try load(["EXAMPLE_BATCH_LIMIT": ""])
        #expect(service.batchLimit == 64)
        #expect(service.lockTimeout == .seconds(5))
        #expect(service.redis == nil)
        #expect(process.environment == .production)
        #expect(process.logLevel == .info)
        #expect(process.adminPort == 9_199)
        #expect(process.adminHost == "127.0.0.1")
    }

    @Test("what is set is read with its type")
    func values() throws {
        let (process, service) = try load([
            "EXAMPLE_BATCH_LIMIT": "1", "EXAMPLE_LOCK_TIMEOUT": "250ms", "FLORIN_ENVIRONMENT": "local", "INTERNAL_AUTH_MODE": "off",
            "REDIS_URL": "redis://127.0.0.1:6379", "EXAMPLE_VERBOSE": "true", "LOG_LEVEL": "debug", "ADMIN_PORT": "0",
        ])
        #expect(service.batchLimit == 1)
        #expect(service.lockTimeout == .milliseconds(250))
        #expect(service.authMode == .off)
        #expect(service.redis == "redis://127.0.0.1:6379")
        #expect(service.isVerbose)
        #expect(service.database.reveal() == "postgres://example:hunter2@127.0.0.1/example")
        #expect(process.logLevel == .debug)
        #expect(process.adminPort == 0)
    }

    @Test(
        "a bad setting is named in one line with what is expected",
        arguments: [
            ("EXAMPLE_BATCH_LIMIT", "0", "EXAMPLE_BATCH_LIMIT=0 is not accepted: expected a whole number from 1 to 256"),
            ("EXAMPLE_BATCH_LIMIT", "257", "EXAMPLE_BATCH_LIMIT=257 is not accepted: expected a whole number from 1 to 256"),
            ("EXAMPLE_BATCH_LIMIT", "1.5", "EXAMPLE_BATCH_LIMIT=1.5 is not accepted: expected a whole number from 1 to 256"),
            ("EXAMPLE_BATCH_LIMIT", "9\nx", "EXAMPLE_BATCH_LIMIT is not accepted: expected a whole number from 1 to 256"),
            ("EXAMPLE_LOCK_TIMEOUT", "5", "EXAMPLE_LOCK_TIMEOUT=5 is not accepted: expected a duration from 10ms to 2m, like 250ms, 5s or 2m"),
            ("EXAMPLE_LOCK_TIMEOUT", "1h", "EXAMPLE_LOCK_TIMEOUT=1h is not accepted: expected a duration from 10ms to 2m, like 250ms, 5s or 2m"),
            ("INTERNAL_AUTH_MODE", "none", "INTERNAL_AUTH_MODE=none is not accepted: expected hmac or off"),
            ("INTERNAL_AUTH_MODE", "off", "INTERNAL_AUTH_MODE=off is refused in production"),
            ("FLORIN_ENVIRONMENT", "prod", "FLORIN_ENVIRONMENT=prod is not accepted: expected local or staging or production"),
            ("EXAMPLE_VERBOSE", "yes", "EXAMPLE_VERBOSE=yes is not accepted: expected true or false"),
            ("ADMIN_PORT", "65536", "ADMIN_PORT=65536 is not accepted: expected a whole number from 0 to 65535"),
            (
                "TOKEN_ISSUER", "ftp://x",
                "TOKEN_ISSUER is not accepted: expected an address beginning with https:// or http://, without password, query or fragment"
            ),
            ("EXAMPLE_DATABASE_URL", "", "EXAMPLE_DATABASE_URL is missing: expected an address beginning with postgres://"),
            ("EXAMPLE_DATABASE_URL", "mysql://u:hunter3@h", "EXAMPLE_DATABASE_URL is not accepted: expected an address beginning with postgres://"),
        ])
    func badSetting(key: String, value: String, line: String) {
        let error = #expect(throws: InvalidConfiguration.self) { try load([key: value]) }
        #expect(error?.description == line)
    }

    @Test("an address that holds a password is no plain setting")
    func passwordInAddress() {
        #expect(throws: InvalidConfiguration.self) { try load(["REDIS_URL": "redis://user:hunter2@host"]) }
    }

    @Test("all problems are collected, the first declared is named first and the others are counted")
    func allProblems() {
        let error = #expect(throws: InvalidConfiguration.self) {
            try load(["EXAMPLE_DATABASE_URL": "", "EXAMPLE_BATCH_LIMIT": "x", "LOG_LEVEL": "loud", "INTERNAL_AUTH_MODE": "off"])
        }
        #expect(error?.problems.map(\.key) == ["LOG_LEVEL", "EXAMPLE_BATCH_LIMIT", "INTERNAL_AUTH_MODE", "EXAMPLE_DATABASE_URL"])
        #expect(error?.description.hasPrefix("LOG_LEVEL=loud is not accepted") == true)
        #expect(error?.description.hasSuffix("(and 3 more; the config command lists all)") == true)
    }

    @Test("an unsafe value is accepted where it is asked for outside production", arguments: ["local", "staging"])
    func unsafeOutsideProduction(environment: String) throws {
        #expect(try load(["FLORIN_ENVIRONMENT": environment, "INTERNAL_AUTH_MODE": "off"]).service.authMode == .off)
    }

    @Test("settings that do not go together are refused by the service's own check")
    func crossCheck() {
        let error = #expect(throws: InvalidConfiguration.self) { try load(["EXAMPLE_VERBOSE": "true", "EXAMPLE_BATCH_LIMIT": "101"]) }
        #expect(error?.description == "EXAMPLE_VERBOSE: a batch above 100 is not described")
    }

    @Test(
        "durations are written as they are read",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3_600)), ("90s", .seconds(90)),
            ("0ms", .zero),
        ])
    func durations(text: String, duration: Duration) {
        #expect(DurationText.parse(text) == duration)
        #expect(DurationText.render(duration) == text)
    }

    @Test("what is no duration is refused", arguments: ["", "5", "s", "-5s", "1.5s", "5 s", "5S", "99999999999999999h", "٣s"])
    func noDurations(text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}
