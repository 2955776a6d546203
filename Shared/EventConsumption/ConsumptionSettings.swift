internal import EncryptionKeys
package import ServiceDatabase
package import ServiceRuntime

/// The settings of a consumer of events besides the broker's and the database's.
package struct ConsumptionSettings: Sendable {
    private static let keysFileSetting = Setting<String>.path(
        "DEAD_LETTER_KEYS_FILE", "The keys under which the bodies of dead letters are encrypted.",
        default: "/run/secrets/florin/dead-letter.keys.json")
    private static let prefetchSetting = Setting<Int>.integer(
        "EVENT_PREFETCH", "Maximum unacknowledged events.", in: 1...2_000, unit: "events", default: 200)
    private static let batchLimitSetting = Setting<Int>.integer(
        "EVENT_BATCH_LIMIT", "Events that are applied in one transaction.", in: 1...1_000, unit: "events", default: 100)
    private static let retryDelays = Setting<RetryPlan>(
        key: "EVENT_RETRY_DELAYS", summary: "Delays before each retry of a failed event; after the last it becomes a dead letter.",
        unit: "durations", expected: "at most \(RetryPlan.maximumDelays) growing durations separated by commas, like 1s,5s,30s", default: .standard,
        parse: { RetryPlan(text: $0) }, render: { $0.text })

    package static let declared: [any SettingDeclaration] = [keysFileSetting, prefetchSetting, batchLimitSetting, retryDelays]

    package let keysFile: String
    package let prefetch: Int
    package let batchLimit: Int
    package let retries: RetryPlan

    package init(_ values: SettingValues) {
        keysFile = values[Self.keysFileSetting]
        prefetch = values[Self.prefetchSetting]
        batchLimit = values[Self.batchLimitSetting]
        retries = values[Self.retryDelays]
    }

    /// Reads the keys file.
    /// - Throws: ``InvalidConfiguration`` when it can't be used; it names no secret.
    package func keys() throws(InvalidConfiguration) -> DeadLetterKeys {
        do {
            return DeadLetterKeys(try EncryptionKeyFile.read(keysFile))
        } catch {
            throw InvalidConfiguration(key: Self.keysFileSetting.key, "can't be used: \(PlainLine.text(keysFile)): \(error)")
        }
    }

    package var options: EventConsumerOptions {
        EventConsumerOptions(prefetch: prefetch, batchLimit: batchLimit, retries: retries)
    }
}

/// The configuration of a service that consumes events into its own database.
package protocol EventConsumingConfiguration: DatabaseServiceConfiguration {
    var consumption: ConsumptionSettings { get }
}

/// A service that consumes events; the same subscription serves the running consumer and the commands over its dead letters.
package protocol EventConsumingService: DatabaseService where Settings: EventConsumingConfiguration {
    static func subscription(_ settings: Settings, _ context: ProcessContext) throws -> EventSubscription
}
