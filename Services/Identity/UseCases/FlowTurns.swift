/// Lets the posts of one flow through one after the other, so that a double click costs one password hash: the second finds the step taken.
///
/// Within this process; between two of them the flow's row decides, and the slower hash is wasted.
package actor FlowTurns {
    /// As many wait for one flow; more is no person.
    static let mostWaiting = 8

    private var waiting: [SignInFlowID: [CheckedContinuation<Void, Never>]] = [:]

    package init() {}

    /// - Throws: what `body` throws; ``CredentialRefusal/overloaded`` when too many wait already.
    package func withTurn<Value: Sendable>(_ id: SignInFlowID, _ body: @Sendable () async throws -> Value) async throws -> Value {
        if let others = waiting[id] {
            guard others.count < Self.mostWaiting else { throw CredentialRefusal.overloaded }
            await withCheckedContinuation { waiting[id]?.append($0) }
        } else {
            waiting[id] = []
        }
        defer { handOn(id) }
        return try await body()
    }

    private func handOn(_ id: SignInFlowID) {
        if waiting[id]?.isEmpty == false {
            waiting[id]?.removeFirst().resume()
        } else {
            waiting[id] = nil
        }
    }
}
