package import ArgumentParser
import FoundationEssentials

/// `serve`, the same for every service.
package struct ServeCommand<Service: FlorinService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "serve", abstract: "Serve until SIGTERM or SIGINT.",
            discussion: """
                Exit codes: 0 drained, 1 failed, 3 cannot listen, 4 drained but for what was cut off, 64 wrong usage or configuration. A database \
                that does not answer is waited for.
                """)
    }

    package init() {}

    package func run() async throws {
        try await Service.serve(environment: ProcessInfo.processInfo.environment).exit()
    }
}

extension ProcessExit {
    /// Ends a command with this code.
    ///
    /// - Throws: ArgumentParser's `ExitCode`, unless it is a success.
    package func exit() throws {
        guard self != .success else { return }
        throw ExitCode(rawValue)
    }
}
