import Synchronization

/// Notes of what happened, in order.
package final class Journal: Sendable {
    private let entries = Mutex<[String]>([])

    package init() {}

    package var all: [String] { entries.withLock { $0 } }

    package func note(_ entry: String) { entries.withLock { $0.append(entry) } }
}
