import Contracts
import Fleet
import StrictJSON

/// An object that runs containers.
struct ManifestWorkload {
    /// Where each kind keeps its pod.
    private static let pods: [String: [String]] = [
        "Deployment": ["spec", "template"], "StatefulSet": ["spec", "template"], "DaemonSet": ["spec", "template"],
        "ReplicaSet": ["spec", "template"], "Job": ["spec", "template"], "CronJob": ["spec", "jobTemplate", "spec", "template"], "Pod": [],
    ]
    private static let endingKinds: Set<String> = ["Job", "CronJob", "Pod"]

    let kind: String
    let name: String
    let namespace: String
    private let labels: [JSONValue?]
    private let pod: JSONValue

    /// Nil when the object runs nothing.
    init?(_ object: JSONValue) {
        guard let kind = object["kind"]?.stringValue, let path = Self.pods[kind] else { return nil }
        var template = object
        for step in path {
            guard let next = template[step] else { return nil }
            template = next
        }
        guard let pod = template["spec"] else { return nil }
        self.kind = kind
        self.pod = pod
        name = object["metadata"]?["name"]?.stringValue ?? ""
        namespace = ManifestValues.namespace(of: object)
        labels = [template["metadata"]?["labels"], object["metadata"]?["labels"]]
    }

    /// The containers that belong to the fleet, and those of others that were given a service's variable.
    func processes(_ values: ManifestValues) -> [FleetProcess] {
        let containers = (pod["containers"]?.arrayValue ?? []).map(ManifestContainer.init)
        let before = (pod["initContainers"]?.arrayValue ?? []).map(ManifestContainer.init)
        return before.compactMap { process($0, isAlone: false, values) }
            + containers.compactMap { process($0, isAlone: containers.count == 1, values) }
    }

    private func process(_ container: ManifestContainer, isAlone: Bool, _ values: ManifestValues) -> FleetProcess? {
        let found = ManifestVariables(container: container.object, namespace: namespace, values: values)
        let hasDatabase = found.variables.keys.contains(where: FleetNames.variables.contains)
        guard let executable = container.executable ?? executableByName(isAlone: isAlone, hasDatabase: hasDatabase) else {
            return hasDatabase ? stranger(container, found) : nil
        }
        guard executable != Fleet.operators else { return nil }
        let isRelay = executable == Fleet.relay
        let service = isRelay ? container.option("--source") ?? FleetNames.suffix(of: name) : executable
        let kind: FleetProcess.Kind = isRelay ? .relay : container.isMigrating || isMigratingByName(container) ? .migrate : .serve
        return FleetProcess(
            service: service, kind: kind, place: place(container), variables: found.variables, isComplete: found.isComplete,
            isLongRunning: !Self.endingKinds.contains(self.kind), otherSecrets: found.wholeSecrets.union(mounted(container)))
    }

    /// What a container is when neither its command nor its image tells.
    ///
    /// A sidecar and an init container share their pod's names, and `wallet-ledger-pgbouncer` begins with a service's; so a name decides
    /// only for a container that is alone in a pod of just that name, or that was given a service's variable.
    private func executableByName(isAlone: Bool, hasDatabase: Bool) -> String? {
        let label = labels.lazy.compactMap { $0?["app.kubernetes.io/name"]?.stringValue }.first
        guard isAlone || hasDatabase else { return nil }
        return FleetNames.executable(label) ?? (hasDatabase ? FleetNames.prefix(of: name) : FleetNames.executable(name))
    }

    /// A container that is no service of the fleet may have any variable but a service's.
    private func stranger(_ container: ManifestContainer, _ found: ManifestVariables) -> FleetProcess {
        let foreign = found.variables.filter { FleetNames.variables.contains($0.key) }
        return FleetProcess(service: nil, place: place(container), variables: foreign)
    }

    private func place(_ container: ManifestContainer) -> String { "\(kind) \(name), container \(container.name)" }

    private func isMigratingByName(_ container: ManifestContainer) -> Bool {
        Self.endingKinds.contains(kind) && !container.hasArguments && name.split(separator: "-").contains("migrate")
    }

    /// The Secrets of the volumes that the container mounts.
    private func mounted(_ container: ManifestContainer) -> Set<SecretReference> {
        let names = Set(container.mounts)
        var secrets: Set<SecretReference> = []
        for volume in pod["volumes"]?.arrayValue ?? [] where names.contains(volume["name"]?.stringValue ?? "") {
            let projected = (volume["projected"]?["sources"]?.arrayValue ?? []).compactMap { $0["secret"] }
            for (source, nameKey) in projected.map({ ($0, "name") }) + (volume["secret"].map { [($0, "secretName")] } ?? []) {
                guard let secret = source[nameKey]?.stringValue else { continue }
                let keys = (source["items"]?.arrayValue ?? []).compactMap { $0["key"]?.stringValue }
                let references: [String?] = keys.isEmpty ? [nil] : keys
                for key in references { secrets.insert(SecretReference(namespace: namespace, name: secret, key: key)) }
            }
        }
        return secrets
    }
}
