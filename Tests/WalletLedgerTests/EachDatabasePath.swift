import TestSupport
import Testing

/// Runs every test of a suite once on each path. A failure says on which.
struct EachDatabasePath: SuiteTrait, TestTrait, TestScoping {
    /// Each test case by itself, not the suite as a whole.
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for path in DatabasePath.allCases {
            let naming = IssueHandlingTrait.compactMapIssues { issue in
                var issue = issue
                issue.comments.append("\(path.rawValue)")
                return issue
            }
            try await DatabasePath.$current.withValue(path) {
                try await naming.provideScope(for: test, testCase: testCase, performing: function)
            }
        }
    }
}

extension Trait where Self == EachDatabasePath {
    /// Every test runs on every ``DatabasePath``; a suite that makes a ``MoneyFixture`` has this.
    static var onEachDatabasePath: Self { Self() }
}

/// One ledger on each path for all cases of a test that changes nothing, made when it is first needed: a database takes a while.
struct UnchangedLedger<Value: Sendable>: Sendable {
    private let values: [DatabasePath: Task<Value, any Error>]

    init(_ make: @escaping @Sendable () async throws -> Value) {
        let tasks = DatabasePath.allCases.map { path in
            (path, Task { try await DatabasePath.$current.withValue(path) { try await make() } })
        }
        values = Dictionary(uniqueKeysWithValues: tasks)
    }

    /// The one of the path that the test is on.
    func value() async throws -> Value {
        guard let path = DatabasePath.current, let task = values[path] else { throw MoneyFixture.NoDatabasePath() }
        return try await task.value
    }
}
