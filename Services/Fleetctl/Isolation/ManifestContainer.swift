import Contracts
import StrictJSON

/// One container of a pod.
struct ManifestContainer {
    let object: JSONValue

    init(_ object: JSONValue) { self.object = object }

    var name: String { object["name"]?.stringValue ?? "" }
    var mounts: [String] { (object["volumeMounts"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue } }
    var hasArguments: Bool { !words.isEmpty }

    /// Whether it runs a service's `migrate`.
    var isMigrating: Bool { words.contains("migrate") }

    /// The executable of the fleet that it runs: by its command, else by its image's name.
    var executable: String? {
        for word in words.prefix(1) {
            if let executable = FleetNames.executable(word.split(separator: "/").last.map(String.init)) { return executable }
        }
        let repository = (object["image"]?.stringValue ?? "").split(separator: "@").first?.split(separator: "/").last
        return FleetNames.executable(repository?.split(separator: ":").first.map(String.init))
    }

    /// The value of `--name value` or `--name=value`.
    func option(_ name: String) -> String? {
        if let index = words.firstIndex(of: name) { return words.indices.contains(index + 1) ? words[index + 1] : nil }
        return words.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    private var words: [String] {
        ((object["command"]?.arrayValue ?? []) + (object["args"]?.arrayValue ?? [])).compactMap(\.stringValue)
    }
}
