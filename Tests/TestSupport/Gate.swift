import Dispatch
import Postgres
import Synchronization

/// Lets a thread that may block wait for a test.
package final class Gate: Sendable {
    private let isOpen = Mutex(false)
    private let semaphore = DispatchSemaphore(value: 0)

    package init() {}

    package var isSet: Bool { isOpen.withLock { $0 } }

    package func signal() {
        isOpen.withLock { $0 = true }
        semaphore.signal()
    }

    package func wait() { semaphore.wait() }
}

extension PostgresServer {
    /// Runs a statement in a transaction that stays open, with its locks, for as long as `body` takes; then it is rolled back.
    package func holding(_ statement: String, database: String, _ body: () async throws -> Void) async throws {
        let connection = try await superuserConnection(database: database)
        let (begun, finish) = (Gate(), Gate())
        async let holder: Void = connection.withSession { session in
            defer { begun.signal() }
            try session.begin()
            try session.execute(PostgresQuery(unsafeSQL: statement))
            begun.signal()
            finish.wait()
        }
        defer { finish.signal() }
        _ = try await eventually(within: .seconds(30)) { begun.isSet }
        try await body()
        finish.signal()
        try await holder
        await connection.close()
    }
}
