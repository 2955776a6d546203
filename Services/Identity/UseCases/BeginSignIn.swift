import Contracts
import FoundationEssentials
import Postgres

/// Begins to answer an authorization request: at once where the browser's session is enough, otherwise with a flow of its own.
package struct BeginSignIn: Sendable {
    private let pool: PostgresPool
    private let issuer: String
    private let issueCode: IssueCode
    private let readHint: ReadIDTokenHint
    private let now: @Sendable () -> Timestamp
    private let clients = ClientStore()
    private let sessions = SessionStore()
    private let flows = SignInFlowStore()
    private let consents = ConsentStore()

    init(
        pool: PostgresPool, issuer: String, issueCode: IssueCode, readHint: ReadIDTokenHint, now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.issuer = issuer
        self.issueCode = issueCode
        self.readHint = readHint
        self.now = now
    }

    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func callAsFunction(_ parameters: OAuthParameters, for visit: BrowserVisit) async throws -> SignInTurn {
        let id = try AuthorizationRequest.clientID(in: parameters)
        let client = try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in try clients.find(session, id) }
        return try await begin(try AuthorizationRequest(parameters, client: client), visit)
    }

    /// The same request anew, for whichever browser asks: what was proved in the flow before stays there.
    ///
    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func again(_ request: AuthorizationRequest, for visit: BrowserVisit) async throws -> SignInTurn {
        let client = try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in try clients.find(session, request.clientID) }
        guard let address = request.answerAddress, let client, client.disabledAt == nil,
            RedirectURI.isRegistered(address.redirectURI, among: client.redirectURIs)
        else { throw AuthorizationFault.page(.clientUnknown) }
        return try await begin(request, visit)
    }

    private func begin(_ request: AuthorizationRequest, _ visit: BrowserVisit) async throws -> SignInTurn {
        guard let address = request.answerAddress else { throw AuthorizationFault.page(.redirectURIMissing) }
        do {
            return try await turn(request, address, visit, visit.sessionSecret)
        } catch let refusal as TokenRefusal {
            // Some of them are about what ended while it was looked at.
            guard refusal.endsSession else { throw AuthorizationFault.redirect(refusal.authorizationError, to: address) }
            return try await turn(request, address, visit, nil)
        }
    }

    private func turn(
        _ request: AuthorizationRequest, _ address: AnswerAddress, _ visit: BrowserVisit, _ cookie: BrowserSecret?
    ) async throws -> SignInTurn {
        let (now, hint) = (now(), request.idTokenHint.flatMap { readHint($0) })
        return try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in
            var live = try cookie.flatMap { try sessions.find(cookie: $0, at: now, session) }
            // Whom the client means is not whom the browser knows: they sign in (OpenID Connect Core, section 3.1.2.1).
            if let hint, hint.user.uuid != live?.authentication.user { live = nil }
            let progress = SignInProgress(
                request.demand, session: live?.authentication, hasSecondFactor: live?.hasSecondFactor ?? false,
                needsConsent: try live.map { try consents.isNeeded(request, of: $0.authentication.user, session) } ?? true,
                now: now, expiresAt: now.adding(seconds: SignInFlow.lifeSeconds))
            if progress.step == .finished, let live, let authentication = progress.authentication {
                let code = try issueCode(request, authentication, sessionID: live.id, session)
                try sessions.touch(live.id, place: visit.network, at: now, session)
                return .leave(SignInAnswer(location: address.location(code: code, issuer: issuer)))
            }
            if let error = Self.error(at: progress.step, isSilent: request.prompt.contains(.none)) {
                return .leave(SignInAnswer(location: address.location(error, issuer: issuer)))
            }
            let owner = visit.flowSecret ?? .random()
            var random = SystemRandomNumberGenerator()
            let flow = SignInFlow(
                id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), owner: owner.hash, request: request, progress: progress,
                session: progress.proved == nil ? nil : live?.id, createdAt: now)
            try flows.insert(flow, session)
            return .toStep(flow, flowSecret: visit.flowSecret == nil ? owner : nil)
        }
    }

    /// What the client is answered where no page is shown.
    private static func error(at step: SignInProgress.Step, isSilent: Bool) -> AuthorizationError? {
        switch step {
        case .refused: .noSecondFactor
        case .password, .secondFactor: isSilent ? AuthorizationError(.loginRequired, "The person has to sign in.") : nil
        case .consent: isSilent ? AuthorizationError(.consentRequired, "The person has to consent.") : nil
        case .finished: nil
        }
    }
}

extension AuthorizationError {
    static let noSecondFactor = AuthorizationError(.unmetAuthenticationRequirements, "The account has no second factor.")
    static let consentDenied = AuthorizationError(.accessDenied, "The person has refused.")
}

extension TokenRefusal {
    /// Whether it is because account or session are not what they were: the person can sign in again.
    var endsSession: Bool {
        switch self {
        case .userNotActive, .generationChanged, .sessionEnded: true
        default: false
        }
    }

    /// As the client learns it.
    var authorizationError: AuthorizationError {
        switch self {
        case .scopeNotGranted, .scopeMalformed: AuthorizationError(.invalidScope, "The person can grant none of the scopes.")
        case .clientDisabled, .grantTypeNotAllowed, .grantTypeUnknown: AuthorizationError(.unauthorizedClient, "The client is not allowed this.")
        default: AuthorizationError(.accessDenied, "The person can't be signed in.")
        }
    }
}
