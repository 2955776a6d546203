import Contracts
import FoundationEssentials
import Postgres

/// The first step: an address and its password.
package struct EnterPassword: Sendable {
    private let steps: SignInSteps
    private let verify: VerifyPassword
    private let consents = ConsentStore()

    package init(steps: SignInSteps, verify: VerifyPassword) {
        self.steps = steps
        self.verify = verify
    }

    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func callAsFunction(
        _ password: String, for email: String, of id: SignInFlowID, token: String, _ visit: BrowserVisit
    ) async throws -> SignInTurn {
        try await steps.take(.password, of: id, token: token, email: email, for: visit) { flow, owner in
            guard let address = EmailAddress(email) else { throw CredentialRefusal.wrong }
            if let turn = try await steps.continueSignedIn(flow, visit, as: address) { return turn }
            let verified = try await verify(password, for: address, from: visit.origin, until: visit.deadline)
            let proof = PasswordProof(
                user: verified.user, generation: verified.generation, hasSecondFactor: verified.secondFactor, isShort: verified.isShort)
            return try await steps.move(flow, for: visit, owner: owner, refusedAs: proof.isShort ? nil : .noSecondFactor) { flow, now, session in
                try flow.progress.entered(proof, needsConsent: try consents.isNeeded(flow.request, of: proof.user, session), at: now)
            }
        }
    }
}
