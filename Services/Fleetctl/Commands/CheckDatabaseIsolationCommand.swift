import ArgumentParser
import Fleet
import FoundationEssentials
import ServiceRuntime

/// `fleetctl check-db-isolation`: one database and one role of its own per service.
struct CheckDatabaseIsolationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-db-isolation", abstract: "Check that no service can reach another service's database.",
        discussion: """
            Compares all URLs pairwise, connects with each, and tries every role on every other service's database. The environment is that \
            of one process and may hold one service's variable; an .env file may hold the whole fleet's. Manifests are rendered ones. \
            Sources may be given together. Prints hosts, databases and roles, never a password or a whole URL. Exit codes: 0 no violation, \
            1 violations, 3 something could not be reached, 64 wrong usage or nothing to check.
            """)

    @Flag(help: "Check this process's environment; the default.")
    var env = false

    @Option(help: ArgumentHelp("Service of the environment (default: the one whose variable is set).", valueName: "service"))
    var service: String?

    @Option(help: ArgumentHelp("An .env file, of one service or of the fleet; repeatable.", valueName: "path"))
    var envFile: [String] = []

    @Option(help: ArgumentHelp("Rendered Kubernetes manifests: a file, a folder, or /dev/stdin; repeatable.", valueName: "path"))
    var manifests: [String] = []

    @Flag(help: "Compare only; connect to nothing.")
    var offline = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if let service, Fleet.databaseVariables[service] == nil {
            throw ValidationError("--service is one of \(Fleet.databaseVariables.keys.sorted().joined(separator: ", "))")
        }
        guard service == nil || usesEnvironment else { throw ValidationError("--service belongs to --env") }
    }

    func run() async throws {
        let processes: [FleetProcess]
        do throws(ManifestDocuments.Unreadable) {
            processes = try read()
        } catch {
            StandardError.write(line: "fleetctl check-db-isolation: \(error)")
            return try ProcessExit.usage.exit()
        }
        guard !processes.isEmpty else {
            StandardError.write(
                line: "fleetctl check-db-isolation: nothing to check: no database variable in what was given (see --env-file, --manifests)")
            return try ProcessExit.usage.exit()
        }
        let check = IsolationCheck(processes)
        let report = IsolationReport(check, live: offline ? nil : await LiveIsolationCheck.run(check.targets))
        print(json ? report.json : report.text)
        try report.exit.exit()
    }

    private var usesEnvironment: Bool { env || (envFile.isEmpty && manifests.isEmpty) }

    private func read() throws(ManifestDocuments.Unreadable) -> [FleetProcess] {
        var processes: [FleetProcess] = []
        if usesEnvironment {
            processes += EnvironmentReader.process(ProcessInfo.processInfo.environment, service: service)
        }
        for path in envFile {
            guard let content = InputFile.content(path) else {
                throw ManifestDocuments.Unreadable(description: "\(path) cannot be read")
            }
            processes += EnvironmentReader.overview(content, place: path)
        }
        for path in manifests { processes += try ManifestReader.processes(path: path) }
        return processes
    }
}
