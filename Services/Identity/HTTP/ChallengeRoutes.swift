import Contracts
import HTTPService
import HTTPTypes
import NIOCore
import Observability

/// The sign-in of first-party apps that show their own pages (OAuth 2.0 for First-Party Applications).
struct ChallengeRoutes {
    let verifyClient: VerifyClient
    let answer: AnswerChallenge

    var endpoints: [Endpoint] {
        let clients = ClientAccess<OAuthClient> { [verifyClient] in try await verifyClient($0) }
        return [
            Endpoint(.post, "/oauth2/authorize-challenge", access: clients, body: .form, refusal: OAuthErrors.answer, handler: challenge)
        ]
    }

    private func challenge(_ request: EndpointRequest<OAuthClient>) async throws -> Answer {
        let parameters = OAuthParameters(try Form.fields(of: request.body.readableBytesView))
        guard let device = parameters["device_secret"].flatMap({ BrowserSecret($0) }) else {
            return refused(
                .request(AuthorizationError(.invalidRequest, "A device_secret of 32 bytes in base64url is required.")), authSession: nil)
        }
        let visit = AppVisit(
            device: device, username: parameters["username"], password: parameters["password"], code: parameters["otp"],
            system: request.headers[.userAgent] ?? "", network: request.network, traceparent: request.trace.traceparent,
            deadline: request.deadline)
        switch try await answer(parameters, client: request.identity, visit) {
        case .code(let code): return Answer(.ok, AuthorizationCodeBody(code: code), extraHeaders: OAuthErrors.noStore)
        case .refused(let refusal, let authSession): return refused(refusal, authSession: authSession)
        }
    }

    private func refused(_ refusal: ChallengeRefusal, authSession: BrowserSecret?) -> Answer {
        let body = ChallengeErrorBody(error: refusal.name, errorDescription: refusal.detail, authSession: authSession?.text)
        guard case .credential(let credential) = refusal else { return Answer(.badRequest, body, extraHeaders: OAuthErrors.noStore) }
        return Answer(credential.challengeStatus, body, extraHeaders: OAuthErrors.noStore + credential.pageHeaders)
    }
}

extension CredentialRefusal {
    /// The draft knows 400 only; whoever must wait learns it from the status.
    fileprivate var challengeStatus: HTTPResponse.Status {
        switch self {
        case .wrong, .disabled: .badRequest
        case .blocked: .tooManyRequests
        case .overloaded: .serviceUnavailable
        }
    }
}

extension ChallengeRefusal {
    fileprivate var name: String {
        switch self {
        case .insufficient: "insufficient_authorization"
        case .credential(.wrong): "access_denied"
        case .credential(.disabled), .redirectToWeb: "redirect_to_web"
        case .credential(.blocked), .credential(.overloaded): "temporarily_unavailable"
        case .invalidSession: "invalid_session"
        case .request(let error): error.code.rawValue
        }
    }

    /// For the app's developer; what people are told is the app's affair.
    fileprivate var detail: String {
        switch self {
        case .insufficient: "More is needed: username and password, then otp."
        case .credential(.wrong): "What was entered is wrong."
        case .credential(.disabled), .redirectToWeb: "Only the pages can go on with this."
        case .credential(.blocked), .credential(.overloaded): "Try again later."
        case .invalidSession: "The auth_session is not valid. Begin again."
        case .request(let error): error.detail
        }
    }
}
