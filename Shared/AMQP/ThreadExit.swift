internal import Synchronization

/// Whether a thread has ended.
final class ThreadExit: Sendable {
    private let hasEnded = Atomic(false)

    var isSet: Bool { hasEnded.load(ordering: .acquiring) }
    func set() { hasEnded.store(true, ordering: .releasing) }
}
