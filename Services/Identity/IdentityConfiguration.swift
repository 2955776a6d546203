package import APIService
import Fleet
package import ServiceRuntime

/// The settings of identity; `identity config` lists them.
package struct IdentityConfiguration: APIServiceConfiguration {
    static let service = APIServiceSettings.Declaration(.identity, shared: ["idempotency", "outbox"])
    static let poolSize = Setting<Int>.integer(
        "IDENTITY_POOL_SIZE", "Connections to the database.", in: 2...100, unit: "connections", default: 16)
    package static let defaultAdminPort = FleetService.identity.adminPort
    package static let declared: [any SettingDeclaration] = service.declared + [poolSize]

    package let service: APIServiceSettings
    let poolSize: Int

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        service = try Self.service.settings(values)
        poolSize = values[Self.poolSize]
    }
}
