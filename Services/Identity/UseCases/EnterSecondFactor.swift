import Contracts
import FoundationEssentials
import Postgres

/// The second step, of who has a second factor: a code of the authenticator app, or a recovery code.
package struct EnterSecondFactor: Sendable {
    private let steps: SignInSteps
    private let verify: VerifySecondFactor
    private let consents = ConsentStore()

    package init(steps: SignInSteps, verify: VerifySecondFactor) {
        self.steps = steps
        self.verify = verify
    }

    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func callAsFunction(_ code: String, of id: SignInFlowID, token: String, _ visit: BrowserVisit) async throws -> SignInTurn {
        try await steps.take(.secondFactor, of: id, token: token, for: visit) { flow, owner in
            guard let user = flow.progress.proved?.user else { return .unknown }
            let factor: SecondFactor
            do {
                factor = try await verify(code, of: user, from: visit.origin, until: visit.deadline)
            } catch CredentialRefusal.wrong {
                guard try await steps.countWrongCode(of: flow, for: visit) else { return .expired(flow) }
                throw CredentialRefusal.wrong
            }
            return try await steps.move(flow, for: visit, owner: owner) { flow, now, session in
                try flow.progress.entered(
                    AuthenticationMethod(factor), needsConsent: try consents.isNeeded(flow.request, of: user, session), at: now)
            }
        }
    }
}

extension AuthenticationMethod {
    init(_ factor: SecondFactor) {
        switch factor {
        case .otp: self = .oneTimePassword
        case .recoveryCode: self = .recoveryCode
        }
    }
}
