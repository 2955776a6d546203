import Contracts
import StrictJSON

/// The variables of one container, each with where it comes from.
struct ManifestVariables {
    private(set) var variables: [String: FleetVariable] = [:]
    /// False when an object that the manifests don't show is taken whole.
    private(set) var isComplete = true
    /// Secrets that are taken whole, seen or not.
    private(set) var wholeSecrets: Set<SecretReference> = []

    private let values: ManifestValues
    private let namespace: String

    init(container: JSONValue, namespace: String, values: ManifestValues) {
        self.values = values
        self.namespace = namespace
        // In this order: `env` wins over `envFrom`.
        for source in container["envFrom"]?.arrayValue ?? [] { takeAll(source) }
        for entry in container["env"]?.arrayValue ?? [] { take(entry) }
    }

    private mutating func takeAll(_ source: JSONValue) {
        let prefix = source["prefix"]?.stringValue ?? ""
        if let name = source["secretRef"]?["name"]?.stringValue {
            wholeSecrets.insert(SecretReference(namespace: namespace, name: name, key: nil))
            guard let secret = values.secret(name, in: namespace) else {
                isComplete = false
                return
            }
            for (key, value) in secret {
                let reference = SecretReference(namespace: namespace, name: name, key: key)
                variables[prefix + key] = FleetVariable(value, origin: .secret(reference))
            }
        }
        if let name = source["configMapRef"]?["name"]?.stringValue {
            guard let map = values.map(name, in: namespace) else {
                isComplete = false
                return
            }
            for (key, value) in map { variables[prefix + key] = FleetVariable(value, origin: .manifest) }
        }
    }

    private mutating func take(_ entry: JSONValue) {
        guard let name = entry["name"]?.stringValue else { return }
        guard let source = entry["valueFrom"] else {
            variables[name] = FleetVariable(entry["value"]?.stringValue ?? "", origin: .manifest)
            return
        }
        if let key = source["secretKeyRef"], let secret = key["name"]?.stringValue {
            let reference = SecretReference(namespace: namespace, name: secret, key: key["key"]?.stringValue)
            variables[name] = FleetVariable(values.value(of: reference), origin: .secret(reference))
        } else if let key = source["configMapKeyRef"], let map = key["name"]?.stringValue,
            let value = values.map(map, in: namespace)?[key["key"]?.stringValue ?? ""]
        {
            variables[name] = FleetVariable(value, origin: .manifest)
        } else {
            variables[name] = FleetVariable(nil, origin: .elsewhere)
        }
    }
}
