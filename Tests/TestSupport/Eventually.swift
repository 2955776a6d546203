/// Waits until a condition holds.
///
/// - Parameters:
///   - limit: how long to wait at most.
///   - pause: between two looks.
/// - Returns: whether it came to hold in time.
package func eventually(
    within limit: Duration = .seconds(30), every pause: Duration = .milliseconds(5), _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: pause)
    }
    return false
}
