/// Bounds work as a whole: a client's own deadline often ends with the head of the answer, and the body comes as slowly as it likes.
package enum TimeLimit {
    /// What the work returns, or nil when the limit passed first; the work is cancelled then, and heeds it.
    @discardableResult
    package static func within<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await ContinuousClock().sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
