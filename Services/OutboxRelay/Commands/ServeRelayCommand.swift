import ArgumentParser
import FoundationEssentials
import ServiceRuntime

/// `serve`: publishes until SIGTERM.
struct ServeRelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Publish until SIGTERM or SIGINT.",
        discussion: """
            Exit codes: 0 drained, 1 failed, 3 cannot listen, 4 drained except for what was cut off, 64 wrong usage or configuration. \
            Waits for a database that does not answer.
            """)

    @OptionGroup var source: SourceOption

    func run() async throws {
        try await OutboxRelay.serve(environment: source.environment).exit()
    }
}

/// Names the service whose outbox to publish.
struct SourceOption: ParsableArguments {
    @Option(help: "Service whose outbox to publish. Default: OUTBOX_SOURCE.")
    var source: String?

    /// The process's environment with the option in it.
    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        if let source { environment[OutboxRelayConfiguration.source.key] = source }
        return environment
    }
}
