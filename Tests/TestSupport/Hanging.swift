package import Postgres

/// Returns when the task is cancelled and not before, as work does that never ends.
package func untilCancelled() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    for await _ in stream {}
    withExtendedLifetime(continuation) {}
}

/// Does something after a while unless it is cancelled before: what waits for something that never comes fails its test then instead of
/// hanging it.
///
/// - Returns: a task that says whether it was done.
package func rescue(after limit: Duration, _ act: @escaping @Sendable () throws -> Void) -> Task<Bool, any Error> {
    Task {
        guard (try? await Task.sleep(for: limit)) != nil else { return false }
        try act()
        return true
    }
}

extension PostgresQuery {
    /// A statement that lasts longer than a test waits, found by its mark in `pg_stat_activity`.
    package static func hanging(_ mark: String = "mark") -> Self { Self(unsafeSQL: "SELECT '\(mark)', pg_sleep(60)") }
}
