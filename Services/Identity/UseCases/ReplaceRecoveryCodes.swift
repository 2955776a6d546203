import Contracts
import Postgres

/// Gives a user new recovery codes; all earlier ones are void.
package struct ReplaceRecoveryCodes: Sendable {
    private let change: CredentialChange
    private let store = SecondFactorStore()

    init(change: CredentialChange) {
        self.change = change
    }

    /// - Returns: the codes, which are shown this once.
    /// - Throws: `RequiredAuthentication` unless the second factor was verified just now; ``FactorRefusal`` `notEnrolled`;
    ///   ``AccountRefusal`` `signedOut`; `PostgresError`.
    package func callAsFunction(_ asking: SignedInUser, _ facts: RequestFacts) async throws -> [RecoveryCode] {
        let codes = RecoveryCode.set()
        try await change(asking, facts) { party, session in
            guard party.session.hasSecondFactor else { throw FactorRefusal.notEnrolled }
            try party.session.requireFreshSignIn(at: party.now)
            try store.replace(session, recoveryCodes: codes.map(VerifySecondFactor.hash), of: asking.user, at: party.now)
            try FactorEvents.append(.recoveryCodesReplaced, party, facts, session)
            return CredentialChange.Done(value: (), generation: nil, purpose: .mfaChanged, change: .recoveryCodesReplaced)
        }
        return codes
    }
}
