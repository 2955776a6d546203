import FoundationEssentials

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The fleet as its operators handle it: commands of its services, and its servers' processes.
package struct DemoFleet: Sendable {
    private static let limit = Duration.seconds(60)

    private let command: String
    private let runDirectory: String

    package init(_ settings: DemoSettings) {
        command = settings.fleetCommand
        runDirectory = settings.runDirectory
    }

    /// Runs `service command…` as that service.
    ///
    /// - Throws: ``UnreachableDependency`` when the command says that it cannot reach what it needs.
    package func run(_ service: String, _ arguments: [String]) async throws -> ChildProcess.Outcome {
        try await ChildProcess.run(
            command, ["exec", service] + arguments, environment: ProcessInfo.processInfo.environment, limit: Self.limit
        ).unlessUnreachable(service)
    }

    /// The mails that the fleet's SMTP server has kept, the latest last, one JSON object each.
    func mails(last count: Int) async throws -> [String] {
        try await ChildProcess.run(
            command, ["mail", "--json", "--last", "\(count)"], environment: ProcessInfo.processInfo.environment, limit: Self.limit
        ).output.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// Ends the broker's process as a crash would; its supervisor starts it again.
    ///
    /// - Returns: whether there was one.
    func killBroker() -> Bool {
        guard let data = FileManager.default.contents(atPath: "\(runDirectory)/rabbitmq.pid"),
            let text = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).first, let process = Int32(text), process > 1
        else { return false }
        return kill(process, SIGKILL) == 0
    }
}
