package import ArgumentParser
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `serve`, the same for every service.
package struct ServeCommand<Service: FlorinService>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "serve", abstract: "Serve until SIGTERM or SIGINT.",
            discussion: """
                Exit codes: 0 drained, 1 failed, 3 cannot listen, 4 drained except for what was cut off, 64 wrong usage or configuration. \
                Waits for a database that does not answer.
                """)
    }

    package init() {}

    package func run() async throws {
        try await Service.serve(environment: ProcessInfo.processInfo.environment).exit()
    }
}

extension ProcessExit {
    /// Ends the process with this code: what was printed is flushed, and nothing else is waited for.
    ///
    /// Not by `exit(3)`: an attempt to connect that nobody waits for any more may still be inside OpenSSL, whose exit handler takes its memory
    /// away under it.
    ///
    /// - Throws: Nothing; it is the last step of commands that throw.
    package func exit() throws {
        fflush(nil)
        _exit(rawValue)
    }
}
