package import APIService
import EventBroker
package import EventConsumption
import Fleet
package import ServiceRuntime

/// The settings of ops-risk; `ops-risk config` lists them.
package struct OpsRiskConfiguration: APIServiceConfiguration, EventConsumingConfiguration {
    static let service = APIServiceSettings.Declaration(.opsRisk, shared: ["outbox", "consumption"])
    static let thresholds = Setting<String>.text(
        "RISK_HIGH_VALUE_THRESHOLDS",
        "Amount from which a single debit raises an alert, per currency; * is all others, scaled by digits and rough value.",
        expected: HighValueRule.expected, default: "*=1000000")
    static let velocityLimit = Setting<Int>.integer(
        "RISK_VELOCITY_LIMIT", "Debits of a wallet per window above which an alert is raised.", in: VelocityRule.limits, unit: "debits",
        default: 10)
    static let velocityWindow = Setting<Duration>.duration(
        "RISK_VELOCITY_WINDOW", "The window in which debits of a wallet are counted, in whole seconds.",
        in: .seconds(VelocityRule.windowSeconds.lowerBound) ... .seconds(VelocityRule.windowSeconds.upperBound), default: .seconds(60))
    static let lateness = Setting<Duration>.duration(
        "RISK_DEBIT_RETENTION", "How much longer than the window debits are kept, for late events.", in: .seconds(60) ... .seconds(604_800),
        default: .seconds(3_600))
    static let poolSize = Setting<Int>.integer(
        "RISK_POOL_SIZE", "Connections to the database.", in: 2...100, unit: "connections", default: 8)
    package static let defaultAdminPort = FleetService.opsRisk.adminPort
    package static let declared: [any SettingDeclaration] =
        service.declared + BrokerSettings.declared + ConsumptionSettings.declared
        + [thresholds, velocityLimit, velocityWindow, lateness, poolSize]

    package let service: APIServiceSettings
    package let consumption: ConsumptionSettings
    let broker: BrokerSettings
    let rules: RiskRules
    let retention: DebitRetention
    let poolSize: Int

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        service = try Self.service.settings(values)
        broker = try BrokerSettings(values)
        consumption = ConsumptionSettings(values)
        let window = values[Self.velocityWindow].components
        guard window.attoseconds == 0 else {
            throw InvalidConfiguration(key: Self.velocityWindow.key, "is not accepted: expected a whole number of seconds")
        }
        rules = RiskRules(
            highValue: try Self.highValue(values[Self.thresholds]),
            velocity: VelocityRule(limit: values[Self.velocityLimit], windowSeconds: window.seconds))
        retention = DebitRetention(seconds: window.seconds + values[Self.lateness].components.seconds)
        poolSize = values[Self.poolSize]
    }

    private static func highValue(_ text: String) throws(InvalidConfiguration) -> HighValueRule {
        do {
            return try HighValueRule(text: text)
        } catch {
            throw InvalidConfiguration(
                key: thresholds.key, "is not accepted: \(PlainLine.text(error.description)): expected \(HighValueRule.expected)")
        }
    }
}
