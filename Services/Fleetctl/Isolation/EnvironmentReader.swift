import Fleet
import Postgres

/// The processes of an environment: one, or the overview of an `.env` file.
package enum EnvironmentReader {
    /// What decides how a finding is judged, beside the URLs.
    private static let context = [FleetProcess.sharingVariable, VariableFindings.modeVariable, VariableFindings.environmentVariable]

    /// The environment of one process, which may hold one service's variable.
    ///
    /// - Parameter service: whose environment it is; without a name it is the service whose variable is set. When several are set, each
    ///   is a violation, and their URLs are compared as well.
    package static func process(_ environment: [String: String], service: String?) -> [FleetProcess] {
        let place = "environment"
        let variables = environment.mapValues { FleetVariable($0) }
        let present = services(in: environment)
        if let named = service ?? sharing(present, environment) ?? (present.count == 1 ? present[0] : nil) {
            return [FleetProcess(service: named, place: place, variables: variables)]
        }
        let isAnything = environment.contains { isGeneric($0.key) || (FleetNames.variables.contains($0.key) && !$0.value.isEmpty) }
        guard isAnything else { return [] }
        return [FleetProcess(service: nil, place: place, variables: variables)] + lines(environment, place: place)
    }

    /// An `.env` file in which an operator keeps the URLs of the fleet: each is a process of its own, to be compared with the others.
    ///
    /// `<SERVICE>_OWNER_URL`, `_SERVING_URL` and `_RELAY_URL` are the three roles of a service, as the local fleet writes them.
    package static func overview(_ text: String, place: String) -> [FleetProcess] {
        let environment = variables(in: text)
        let generic = environment.filter { isGeneric($0.key) }
        var processes = lines(environment, place: place)
        if !generic.isEmpty { processes.append(FleetProcess(service: nil, place: place, variables: generic.mapValues { FleetVariable($0) })) }
        return processes
    }

    /// The assignments of an `.env` file: `export`, comments and quotation marks as a shell would take them, and no expansion.
    package static func variables(in text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            var words = trimmed(line)
            if words.hasPrefix("export ") { words = trimmed(words.dropFirst("export ".count)) }
            guard !words.hasPrefix("#"), let equals = words.firstIndex(of: "=") else { continue }
            let name = trimmed(words[..<equals])
            guard !name.isEmpty else { continue }
            variables[String(name)] = unquoted(trimmed(words[words.index(after: equals)...]))
        }
        return variables
    }

    private static func lines(_ environment: [String: String], place: String) -> [FleetProcess] {
        let common = environment.filter { context.contains($0.key) }.mapValues { FleetVariable($0) }
        var processes: [FleetProcess] = []
        for service in Fleet.databaseVariables.keys.sorted() {
            guard let own = Fleet.databaseVariables[service] else { continue }
            let prefix = service.uppercased().replacing("-", with: "_")
            let names: [(String, FleetProcess.Kind)] = [
                (own, .serve), ("\(prefix)_OWNER_URL", .migrate), ("\(prefix)_SERVING_URL", .serve), ("\(prefix)_RELAY_URL", .relay),
            ]
            for (name, kind) in names {
                guard let value = environment[name], !value.isEmpty else { continue }
                var variables = common.merging([own: FleetVariable(value)]) { $1 }
                // The replica belongs to the process that has the service's own variable.
                if name == own, let replica = Fleet.replicaVariables[service], let url = environment[replica] {
                    variables[replica] = FleetVariable(url)
                }
                processes.append(FleetProcess(service: service, kind: kind, place: "\(place), \(name)", variables: variables))
            }
        }
        return processes
    }

    private static func services(in environment: [String: String]) -> [String] {
        Fleet.databaseVariables.filter { !(environment[$0.value] ?? "").isEmpty }.keys.sorted()
    }

    private static func sharing(_ present: [String], _ environment: [String: String]) -> String? {
        let isShared = environment[FleetProcess.sharingVariable] == FleetProcess.shareable
        return isShared && Set(present).isSubset(of: [FleetProcess.exporter, FleetProcess.shareable]) ? FleetProcess.exporter : nil
    }

    private static func isGeneric(_ name: String) -> Bool { name == "DATABASE_URL" || DatabaseIsolation.libpqVariables.contains(name) }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        let start = Substring(text).drop { $0.isWhitespace }
        return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
    }

    private static func unquoted(_ text: Substring) -> String {
        if let mark = text.first, mark == "\"" || mark == "'" {
            let inside = text.dropFirst()
            guard let end = inside.firstIndex(of: mark) else { return String(text) }
            return String(inside[..<end])
        }
        // A comment begins after a space only: a URL may hold the sign.
        for index in text.indices where text[index] == "#" && index > text.startIndex && text[text.index(before: index)].isWhitespace {
            return String(trimmed(text[..<index]))
        }
        return String(text)
    }
}
