/// Where a process runs; what is unsafe is refused in production by name.
package enum FlorinEnvironment: String, Sendable, CaseIterable {
    case local
    case staging
    case production

    /// The setting, production unless it says otherwise: forgetting it must not loosen anything.
    package static let setting = Setting<FlorinEnvironment>.choice(
        "FLORIN_ENVIRONMENT", "Deployment environment; unsafe settings are refused in production.", default: .production)
}
