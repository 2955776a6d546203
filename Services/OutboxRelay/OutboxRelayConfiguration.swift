package import EventBroker
import Fleet
import Outbox
import Postgres
package import ServiceDatabase
package import ServiceRuntime

/// Whose outbox a relay empties.
package struct RelaySource: RawRepresentable, Sendable, CaseIterable {
    package static let allCases = Fleet.sources.map(RelaySource.init(service:))

    package let rawValue: String

    /// - Returns: nil when no service of that name has an outbox.
    package init?(rawValue: String) {
        guard let source = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = source
    }

    private init(service: FleetService) { rawValue = service.name }

    /// The relay needs the outbox of that database and nothing else of it.
    var schema: DatabaseSchema { .part("outbox", of: rawValue) }
}

/// The settings of outbox-relay; `outbox-relay config` lists them.
package struct OutboxRelayConfiguration: DatabaseServiceConfiguration {
    static let source = Setting<RelaySource>.choice("OUTBOX_SOURCE", "Service whose outbox to publish; same as --source.", default: nil)
    static let maximumAttempts = Setting<Int>.integer(
        "OUTBOX_MAX_ATTEMPTS", "Attempts to publish an event that the broker refuses before it becomes a dead letter.", in: 1...100,
        unit: "attempts", default: 12)
    static let lease = Setting<Duration>.duration(
        "OUTBOX_LEASE", "Lease duration. A dead relay blocks its partitions for this long; a live one paused for longer may publish duplicates.",
        in: .seconds(2)...LeaseStore.longest, default: .seconds(10))
    static let retention = Setting<Int>.integer(
        "OUTBOX_RETENTION_DAYS", "How long published events are kept.", in: 1...3_650, unit: "days", default: 14)

    package static let defaultAdminPort = 9_107
    package static let declared: [any SettingDeclaration] =
        [source] + RelaySource.allCases.map { $0.schema.url.optional } + [DatabaseSchema.isolation, DatabaseSchema.migrations]
        + BrokerSettings.declared + [maximumAttempts, lease, retention]

    package let source: RelaySource
    package let database: ServiceDatabase
    package let broker: BrokerSettings
    let maximumAttempts: Int
    let timing: RelayTiming
    let retentionDays: Int

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        source = values[Self.source]
        let schema = source.schema
        guard let url = values[schema.url.optional] else {
            throw InvalidConfiguration(missing: schema.variable, "the relay of \(source.rawValue) needs it")
        }
        database = schema.database(values, url: url)
        broker = try BrokerSettings(values)
        // Consumers take the events from no other, and the broker closes the channel of one who sends them in another's name.
        try broker.require(user: FleetService.relayUser(of: source.rawValue))
        maximumAttempts = values[Self.maximumAttempts]
        timing = RelayTiming(lease: values[Self.lease])
        retentionDays = values[Self.retention]
    }
}
