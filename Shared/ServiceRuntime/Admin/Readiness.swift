import Synchronization

/// Whether the process takes requests: not before it has started, not once it drains.
package final class Readiness: Sendable {
    package enum Phase: String, Sendable {
        case starting
        case ready
        case draining
    }

    private let state = Mutex(Phase.starting)

    package init() {}

    package var phase: Phase { state.withLock { $0 } }

    /// Everything that answers requests is up. A process that already drains stays draining.
    package func started() {
        state.withLock { phase in
            switch phase {
            case .starting: phase = .ready
            case .ready, .draining: break
            }
        }
    }

    /// The process is about to end; there is no way back.
    package func drain() {
        state.withLock { $0 = .draining }
    }
}
