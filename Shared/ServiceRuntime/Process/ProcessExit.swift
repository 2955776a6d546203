/// The exit codes of every executable of the fleet.
package enum ProcessExit: Int32, Sendable {
    /// Everything was done.
    case success = 0
    /// Something failed that may be tried again.
    case failure = 1
    /// Something that is needed cannot be reached.
    case unreachable = 3
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
}
