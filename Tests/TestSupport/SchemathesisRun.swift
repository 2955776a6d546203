package import Foundation

/// A run of Schemathesis, which reads a service's OpenAPI document and asks the running service whatever it allows and forbids, thousands
/// of times. A new route is asked as soon as it is in the document.
package struct SchemathesisRun: Sendable {
    private static let scripts = RepositoryRoot.path("Tests/FleetTests/schemathesis")

    /// By the name that its document has.
    package let service: String
    package let port: Int
    /// Of its own, where the run leaves its files.
    package let folder: String
    /// The Python module that gets requests past the service's door.
    package let hooks: String
    /// What counts as a good answer.
    package let settings: String

    package init(service: String, port: Int, folder: String, hooks: String = "hooks", settings: String = "schemathesis.toml") {
        self.service = service
        self.port = port
        self.folder = folder
        self.hooks = hooks
        self.settings = settings
    }

    /// Where the hooks leave the tally of answers.
    package var tally: String { "\(folder)/tally.json" }
    private var document: String { RepositoryRoot.path("Shared/Contracts/OpenAPI/\(service).json") }

    /// What is wrong with answers for every service: one that failed, or an operation that was never carried out. A route could look well
    /// because nobody ever got past its door.
    package func faults(of answers: Set<String>) throws -> [String] {
        let operations = try DocumentedAPI(path: document).statuses.keys.sorted()
        let carriedOut = Set(answers.filter { $0.hasPrefix("2") || $0.hasPrefix("303") }.map { $0.drop { $0 != " " }.dropFirst() }.map(String.init))
        return answers.filter { $0.hasPrefix("5") }.sorted() + operations.filter { !carriedOut.contains($0) }.map { "\($0) was never carried out" }
    }

    /// - Parameter party: What the hooks read: in whose name requests are made.
    /// - Returns: What was answered, as `201 POST /v1/transfers`, and what is wrong with it.
    package func ask(as party: Data) async throws -> (answers: Set<String>, findings: String?) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (file, report) = ("\(folder)/party.json", "\(folder)/report.txt")
        _ = FileManager.default.createFile(atPath: file, contents: party, attributes: [.posixPermissions: 0o600])
        var findings: String?
        do {
            // Into a file: of what fails, a shell gives the end only.
            try await Shell.run([
                "/bin/sh", "-c", "exec \"$@\" >\"$0\" 2>&1", report, "/usr/bin/env", "--chdir=\(folder)", "FLORIN_PARTY=\(file)",
                "SCHEMATHESIS_HOOKS=\(hooks)", "PYTHONPATH=\(Self.scripts)", "PYTHONDONTWRITEBYTECODE=1", "HOME=\(folder)",
                RepositoryRoot.path(".local/python-schemathesis/venv/bin/st"), "--config-file", "\(Self.scripts)/\(settings)", "run", document,
                "--url", "http://127.0.0.1:\(port)",
            ])
        } catch {
            findings = Self.findings((try? String(contentsOfFile: report, encoding: .utf8)) ?? "\(error)")
        }
        let counts = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: URL(fileURLWithPath: tally)))
        return (Set(counts.keys), findings)
    }

    /// The part of a long report that says what is wrong, without the rules and empty lines between.
    private static func findings(_ report: String) -> String {
        let beginning = ["= ERRORS =", "= FAILURES ="].lazy.compactMap { report.range(of: $0)?.upperBound }.first
        let report = report[(beginning ?? report.startIndex)...]
        let lines = report.split(separator: "\n").filter { !$0.allSatisfy { "=_- ".contains($0) } }
        return String(lines.joined(separator: "\n").prefix(20_000))
    }

    /// It needs pip's settings from the environment.
    package static func install() async throws {
        try await Shell.run(
            ["/bin/bash", RepositoryRoot.path("infra/local/venv.sh"), "python-schemathesis", "\(scripts)/requirements.txt"],
            environment: ProcessInfo.processInfo.environment)
    }
}
