/// A service's typed configuration, made from settings that have been checked one by one.
///
/// A conforming type declares its settings as static values, lists them, and checks in its initializer what concerns several of them.
package protocol ServiceConfiguration: Sendable {
    /// Every setting of the service besides those of ``ProcessSettings``, in the order in which they should be listed and complained about.
    static var declared: [any SettingDeclaration] { get }
    /// The admin port when `ADMIN_PORT` is not set.
    static var defaultAdminPort: Int { get }

    /// - Throws: ``InvalidConfiguration`` when settings do not go together.
    init(_ values: SettingValues) throws(InvalidConfiguration)
}

extension ServiceConfiguration {
    /// The process's settings and the service's.
    package static var allDeclared: [any SettingDeclaration] { ProcessSettings.declared(defaultAdminPort: defaultAdminPort) + declared }

    /// Both configurations of a process from its environment.
    ///
    /// - Throws: ``InvalidConfiguration``.
    package static func load(environment: [String: String]) throws(InvalidConfiguration) -> (process: ProcessSettings, service: Self) {
        let values = try SettingsReader(environment: environment).read(allDeclared)
        return (ProcessSettings(values, defaultAdminPort: defaultAdminPort), try Self(values))
    }
}
