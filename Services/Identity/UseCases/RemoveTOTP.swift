import Contracts
import Postgres

/// Takes a user's second factor away, and its recovery codes with it.
package struct RemoveTOTP: Sendable {
    private let change: CredentialChange
    private let users = UserStore()
    private let store = SecondFactorStore()
    private let credentials = CredentialStore()

    init(change: CredentialChange) {
        self.change = change
    }

    /// - Throws: `RequiredAuthentication` unless the second factor was verified just now; ``FactorRefusal``; ``AccountRefusal`` `signedOut`;
    ///   `PostgresError`.
    package func callAsFunction(_ asking: SignedInUser, _ facts: RequestFacts) async throws {
        try await change(asking, facts) { party, session in
            guard let holder = try credentials.holder(session, asking.user, device: nil), holder.hasSecondFactor else {
                throw FactorRefusal.notEnrolled
            }
            try party.session.requireFreshSignIn(at: party.now)
            // It would be good for nothing without the second factor.
            guard holder.password?.isShort != true else { throw FactorRefusal.passwordTooShort }
            try store.remove(session, of: asking.user)
            try FactorEvents.append(.totpRemoved, party, facts, session)
            let generation = try users.raiseGeneration(of: asking.user, at: party.now, session)
            return CredentialChange.Done(value: (), generation: generation, purpose: .mfaChanged, change: .totpRemoved)
        }
    }
}
