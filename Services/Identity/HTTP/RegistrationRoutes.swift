import Contracts
import HTTPService
import HTTPTypes

/// Registration and recovery: what people who are not signed in do by mailed codes. Nothing in an answer tells whether an address has an
/// account.
struct RegistrationRoutes {
    let register: RegisterUser
    let verifyEmail: VerifyEmail
    let flows: MailedFlows
    let completeRecovery: RecoverAccount

    private static let front = SignedAccess.signed(by: ["api-gateway", "mobile-bff"])

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/users", access: Self.front, body: .json, handler: registration),
            Endpoint(.post, "/v1/users/verify-email", access: Self.front, body: .json, handler: verification),
            Endpoint(.post, "/v1/recovery", access: Self.front, body: .json, handler: recovery),
            Endpoint(.post, "/v1/recovery/complete", access: Self.front, body: .json, handler: completion),
        ]
    }

    private func registration(_ request: SignedRequest) async throws -> Answer {
        let body = try request.decode(RegisterUserRequest.self)
        return try await Problem.naming(password: "password") { Answer(try await register(body, RequestFacts(request))) }
    }

    private func verification(_ request: SignedRequest) async throws -> Answer {
        Answer(.ok, UserIDBody(userID: try await verifyEmail(try request.decode(VerifyEmailRequest.self), RequestFacts(request))))
    }

    private func recovery(_ request: SignedRequest) async throws -> Answer {
        Answer(try await flows.beginRecovery(try request.decode(RecoveryRequest.self), RequestFacts(request)))
    }

    private func completion(_ request: SignedRequest) async throws -> Answer {
        let body = try request.decode(CompleteRecoveryRequest.self)
        return try await Problem.naming(password: "new_password") {
            try await completeRecovery(body, RequestFacts(request))
            return .noContent()
        }
    }
}

extension Answer {
    fileprivate init(_ begun: BegunFlow) {
        self.init(.accepted, CodeRequestedBody(flow: begun.handle.text, expiresAt: begun.expiresAt))
    }
}
