/// The exit codes of every executable of the fleet.
package enum ProcessExit: Int32, Sendable {
    /// Everything was done.
    case success = 0
    /// Something failed that may be tried again.
    case failure = 1
    /// Something that is needed cannot be reached.
    case unreachable = 3
    /// The drain took too long, and what had not ended by then was cut off.
    case cutOff = 4
    /// Wrong usage or configuration (EX_USAGE of sysexits.h).
    case usage = 64

    /// The code for an error that ends a process.
    package init(endingWith error: any Error) {
        switch error {
        case is InvalidConfiguration: self = .usage
        case is UnreachableDependency, is CannotListen: self = .unreachable
        default: self = .failure
        }
    }

    /// What a command ends with: its work's own end or, after an error, the error's code and one line that names the command.
    ///
    /// - Parameters:
    ///   - name: The command as it was called, `fleetctl topology plan` say.
    ///   - reportError: Takes the line.
    ///   - work: Its errors must be safe to print.
    package static func ending(
        _ name: String, reportError: (String) -> Void = StandardError.write(line:), _ work: () async throws -> ProcessExit
    ) async -> ProcessExit {
        do {
            return try await work()
        } catch {
            reportError("\(name): \(error)")
            return ProcessExit(endingWith: error)
        }
    }
}
