import Contracts
import ServiceRuntime
import TestSupport
import Testing

@testable import OpsRisk

@Suite("Settings of ops-risk")
struct ConfigurationTests {
    private static let good = [
        "FLORIN_ENVIRONMENT": "local", "OPS_RISK_DATABASE_URL": "postgres://u@h/d", "RABBITMQ_URL": "amqp://u:p@h:5672",
        "REPLAY_WINDOW": "in-process",
        "TOKEN_ISSUER": "https://i", "TOKEN_JWKS": "/jwks.json",
    ]

    private func load(_ changes: [String: String] = [:]) throws -> OpsRiskConfiguration {
        try OpsRiskConfiguration.load(environment: Self.good.merging(changes) { $1 }).service
    }

    @Test("the defaults")
    func defaults() throws {
        let settings = try load()
        #expect(settings.rules == RiskRules(highValue: RiskSamples.highValue("*=1000000"), velocity: VelocityRule(limit: 10, windowSeconds: 60)))
        #expect(settings.retention == DebitRetention(seconds: 3_660))
        #expect(OpsRiskConfiguration.defaultAdminPort == 9_104)
    }

    @Test("rules as set")
    func rules() throws {
        let settings = try load([
            "RISK_HIGH_VALUE_THRESHOLDS": "EUR=1000000,USD=1000000,*=5000000", "RISK_VELOCITY_LIMIT": "1", "RISK_VELOCITY_WINDOW": "2m",
            "RISK_DEBIT_RETENTION": "60s",
        ])
        #expect(settings.rules.highValue == RiskSamples.highValue("*=5000000,USD=1000000,EUR=1000000"))
        #expect(settings.rules.velocity == VelocityRule(limit: 1, windowSeconds: 120))
        #expect(settings.retention == DebitRetention(seconds: 180))
    }

    @Test(
        "what can't be used is refused by its name, with what is wrong",
        arguments: [
            ("RISK_HIGH_VALUE_THRESHOLDS", "EUR=1,EUR=2", "entry 2 names a currency twice"),
            ("RISK_HIGH_VALUE_THRESHOLDS", "XYZ=1", "entry 1 names no currency"),
            ("RISK_HIGH_VALUE_THRESHOLDS", "EUR=1.5", "has no amount from 1 to 9007199254740991"),
            ("RISK_VELOCITY_LIMIT", "0", "a whole number from 1 to 1000"), ("RISK_VELOCITY_WINDOW", "1500ms", "a whole number of seconds"),
            ("RISK_VELOCITY_WINDOW", "25h", "a duration from 1s to 24h"), ("RISK_DEBIT_RETENTION", "1s", "a duration from 1m"),
            ("EVENT_RETRY_DELAYS", "5s,1s", "growing durations"), ("RABBITMQ_URL", "http://h", "amqp://"),
        ])
    func refused(key: String, value: String, part: String) {
        let error = #expect(throws: InvalidConfiguration.self) { _ = try load([key: value]) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(key) && text.contains(part), "\(text)")
    }

    @Test("nothing of a value that may hold a secret is quoted or listed")
    func secrecy() {
        #expect(SettingSecrecy.leaks(of: OpsRiskConfiguration.self, Self.good) == [])
    }
}
