/// A variable of a process: its value, where it is known, and where that comes from.
package struct FleetVariable: Sendable, Hashable {
    package enum Origin: Sendable, Hashable {
        /// The environment of a running process or an `.env` file, where values stand in the open by their nature.
        case environment
        /// A manifest, in which everybody can read it.
        case manifest
        case secret(SecretReference)
        /// An object that the manifests name and don't show.
        case elsewhere
    }

    /// A secret; nil when it is not known.
    package let value: String?
    package let origin: Origin

    package init(_ value: String?, origin: Origin = .environment) {
        self.value = value
        self.origin = origin
    }

    /// Whether it is known to hold nothing.
    var isEmpty: Bool { value?.isEmpty ?? false }

    var secret: SecretReference? {
        guard case .secret(let reference) = origin else { return nil }
        return reference
    }

    static func isDatabaseURL(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }
}

/// One key of a Kubernetes Secret, or all of them.
package struct SecretReference: Sendable, Hashable, CustomStringConvertible {
    package let namespace: String
    package let name: String
    /// Nil for all keys.
    package let key: String?

    package init(namespace: String, name: String, key: String?) {
        self.namespace = namespace
        self.name = name
        self.key = key
    }

    /// Whether something can be read through both.
    func overlaps(_ other: SecretReference) -> Bool {
        namespace == other.namespace && name == other.name && (key == nil || other.key == nil || key == other.key)
    }

    /// Whether the Secret or the key is called the owner's: `wallet-ledger-owner`, `owner_url`.
    var isNamedAfterOwner: Bool {
        [name, key ?? ""].contains { text in text.lowercased().split { !$0.isLetter }.contains("owner") }
    }

    package var description: String { "Secret \(namespace)/\(name)" + (key.map { " (\($0))" } ?? "") }
}
