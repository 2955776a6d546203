import Contracts
import FoundationEssentials
import Postgres

/// The last step, of who is asked by another's app for the first time: what it may have.
package struct GiveConsent: Sendable {
    private let steps: SignInSteps
    private let consents = ConsentStore()

    package init(steps: SignInSteps) {
        self.steps = steps
    }

    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func callAsFunction(_ isGiven: Bool, of id: SignInFlowID, token: String, _ visit: BrowserVisit) async throws -> SignInTurn {
        try await steps.take(.consent, of: id, token: token, for: visit) { flow, owner in
            try await steps.move(flow, for: visit, owner: owner, refusedAs: .consentDenied) { flow, now, session in
                guard isGiven, let user = flow.progress.proved?.user else { return try flow.progress.denied(at: now) }
                let next = try flow.progress.consented(at: now)
                try consents.grant(flow.request.scopes, of: user, client: flow.request.clientID, at: now, session)
                return next
            }
        }
    }
}
