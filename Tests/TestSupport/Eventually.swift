import Foundation

/// How long is waited unless a test says otherwise: a loaded machine gets there late. In `infra/local/mutants.sh` it is less, because there
/// what is waited for often never comes.
private let patience = Duration.seconds(ProcessInfo.processInfo.environment["FLORIN_TEST_PATIENCE"].flatMap { Int($0) } ?? 30)

/// Waits until a condition holds.
///
/// - Parameters:
///   - limit: how long to wait at most.
///   - pause: between two looks.
/// - Returns: whether it came to hold in time.
package func eventually(
    within limit: Duration? = nil, every pause: Duration = .milliseconds(5), _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + (limit ?? patience)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: pause)
    }
    return false
}
