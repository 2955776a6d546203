import Contracts
import FoundationEssentials
import Postgres

/// What every step of a flow does: find out whose the flow is and where it stands, and take it from there.
package struct SignInSteps: Sendable {
    let pool: PostgresPool
    let now: @Sendable () -> Timestamp
    private let issuer: String
    /// Answers a new request.
    package let begin: BeginSignIn
    private let finish: FinishSignIn
    private let flows = SignInFlowStore()
    private let clients = ClientStore()
    private let users = UserStore()
    private let sessions = SessionStore()
    private let turns = FlowTurns()

    init(
        pool: PostgresPool, issuer: String, issueCode: IssueCode, readHint: ReadIDTokenHint, tell: TellOfNewDevice,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.issuer = issuer
        begin = BeginSignIn(pool: pool, issuer: issuer, issueCode: issueCode, readHint: readHint, now: now)
        finish = FinishSignIn(issuer: issuer, issueCode: issueCode, readHint: readHint, tell: tell)
        self.now = now
    }

    /// The page of the step where a flow stands.
    ///
    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func show(_ id: SignInFlowID, for visit: BrowserVisit) async throws -> SignInTurn {
        try await standing(id, visit) { flow, owner in
            guard flow.endedAt == nil else { return try await ended(flow, owner, visit) }
            if let turn = try await continueSignedIn(flow, visit) { return turn }
            return try await page(flow, owner, visit)
        }
    }

    /// The same request begun anew.
    ///
    /// - Throws: ``AuthorizationFault``, `PostgresError`.
    package func restart(_ id: SignInFlowID, for visit: BrowserVisit) async throws -> SignInTurn {
        guard let flow = try await find(id, visit) else { return .unknown }
        return try await begin.again(flow.request, for: visit)
    }

    /// Takes what was posted for a step; at any other step the browser is led to where the flow stands.
    ///
    /// - Parameters:
    ///   - token: The form's, by which only a page of this flow posts to it.
    ///   - email: As typed, to be shown again.
    ///   - body: What the step does.
    /// - Throws: ``AuthorizationFault``, `PostgresError`, and what `body` throws.
    func take(
        _ step: SignInProgress.Step, of id: SignInFlowID, token: String, email: String? = nil, for visit: BrowserVisit,
        _ body: @escaping @Sendable (SignInFlow, BrowserSecret) async throws -> SignInTurn
    ) async throws -> SignInTurn {
        try await turns.withTurn(id) {
            try await standing(id, visit) { flow, owner in
                guard owner.isFormToken(token, of: id.uuid) else { return try await begin.again(flow.request, for: visit) }
                guard flow.endedAt == nil else { return try await ended(flow, owner, visit) }
                guard flow.progress.step == step else { return .toStep(flow, flowSecret: nil) }
                do {
                    return try await body(flow, owner)
                } catch let refusal as CredentialRefusal {
                    return try await page(flow, owner, visit, refusal, email: email)
                } catch is SignInMisstep {
                    // Its time was over by the moment that the secret had been looked at.
                    return .expired(flow)
                } catch let refusal as TokenRefusal {
                    // The account or its session has changed meanwhile (ID-25): whoever it is signs in anew.
                    if refusal.endsSession { return try await begin.again(flow.request, for: visit) }
                    throw flow.request.answerAddress.map { AuthorizationFault.redirect(refusal.authorizationError, to: $0) }
                        ?? .page(.redirectURIMissing)
                }
            }
        }
    }

    private func standing(
        _ id: SignInFlowID, _ visit: BrowserVisit, _ body: (SignInFlow, BrowserSecret) async throws -> SignInTurn
    ) async throws -> SignInTurn {
        guard let flow = try await find(id, visit) else { return .unknown }
        // Another browser's flow (ID-02): whoever followed a link to it begins one of their own.
        guard let owner = visit.flowSecret, owner.hash == flow.owner else { return try await begin.again(flow.request, for: visit) }
        if flow.endedAt == nil, flow.hasExpired(at: now()) { return .expired(flow) }
        return try await body(flow, owner)
    }

    private func find(_ id: SignInFlowID, _ visit: BrowserVisit) async throws -> SignInFlow? {
        try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in try flows.find(id, session) }
    }

    /// What a browser gets that asks for a flow again that has ended: the same as before, for as long as its code is good.
    private func ended(_ flow: SignInFlow, _ owner: BrowserSecret, _ visit: BrowserVisit) async throws -> SignInTurn {
        if let endedAt = flow.endedAt, now() < endedAt + AuthorizationCode.lifetime,
            let answer = flow.sealedAnswer.flatMap({ owner.open($0, of: flow.id.uuid) }).flatMap(SignInAnswer.init(text:))
        {
            return .leave(answer)
        }
        return flow.progress.step == .finished ? try await begin.again(flow.request, for: visit) : .expired(flow)
    }

    /// For a person who has signed in meanwhile, in another tab: on to the flow's own client with its own `state` (ID-03).
    ///
    /// - Parameter email: Whom they say that they are; nil where they say nothing.
    /// - Returns: nil where they must sign in.
    func continueSignedIn(_ flow: SignInFlow, _ visit: BrowserVisit, as email: EmailAddress? = nil) async throws -> SignInTurn? {
        // With a hint it is the client that says whom it means.
        guard flow.progress.step == .password, flow.request.idTokenHint == nil, let live = try await session(of: visit),
            email == nil || email?.key == live.emailKey, !flow.request.demand.asksPassword(of: live.authentication, at: now())
        else { return nil }
        return try await begin.again(flow.request, for: visit)
    }

    private func session(of visit: BrowserVisit) async throws -> LiveSession? {
        guard let secret = visit.sessionSecret else { return nil }
        let now = now()
        return try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in
            try sessions.find(cookie: secret, at: now, session)
        }
    }

    private func page(
        _ flow: SignInFlow, _ owner: BrowserSecret, _ visit: BrowserVisit, _ refusal: CredentialRefusal? = nil, email typed: String? = nil
    ) async throws -> SignInTurn {
        let (client, known) = try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in
            (try clients.find(session, flow.request.clientID), try flow.progress.proved.flatMap { try users.find($0.user, session)?.email })
        }
        guard let client, client.disabledAt == nil else { throw AuthorizationFault.page(.clientUnknown) }
        let signedIn = flow.progress.step == .password ? try await session(of: visit)?.email : nil
        return .page(
            SignInView(
                flow: flow, owner: owner, client: client, email: known ?? typed ?? signedIn ?? flow.request.loginHint, isAgain: signedIn != nil),
            refusal)
    }

    /// Moves a flow on from where it was found, to its end where it has come there.
    ///
    /// - Parameters:
    ///   - error: The client's answer if the change is the flow's refusal; nil where a page answers a person instead.
    ///   - change: What is proved or decided.
    /// - Throws: ``TokenRefusal``, ``SignInMisstep``, `PostgresError`.
    func move(
        _ flow: SignInFlow, for visit: BrowserVisit, owner: BrowserSecret, refusedAs error: AuthorizationError? = nil,
        _ change: @escaping @Sendable (SignInFlow, Timestamp, PostgresSession) throws -> SignInProgress
    ) async throws -> SignInTurn {
        let now = now()
        return try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in
            guard let standing = try flows.lock(flow.id, session) else { return .unknown }
            // Another replica was faster.
            guard standing.progress.step == flow.progress.step else { return .toStep(standing, flowSecret: nil) }
            let next = try change(standing, now, session)
            switch next.step {
            case .finished: return .leave(try finish(standing, next, for: visit, owner: owner, at: now, session))
            case .refused:
                let answer = error.flatMap { error in
                    standing.request.answerAddress.map { SignInAnswer(location: $0.location(error, issuer: issuer)) }
                }
                let sealed = try answer.map { try owner.seal($0.text, of: standing.id.uuid) }
                guard try flows.advance(standing, to: next, session: standing.session, sealedAnswer: sealed, at: now, session) else {
                    return .expired(standing)
                }
                return answer.map(SignInTurn.leave) ?? .expired(standing)
            case .password, .secondFactor, .consent:
                guard try flows.advance(standing, to: next, session: standing.session, at: now, session) else { return .expired(standing) }
                return .toStep(standing, flowSecret: nil)
            }
        }
    }

    /// - Returns: whether the flow takes another one.
    /// - Throws: `PostgresError`.
    func countWrongCode(of flow: SignInFlow, for visit: BrowserVisit) async throws -> Bool {
        let now = now()
        return try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in
            try flows.countWrongCode(flow, at: now, session)
        }
    }
}
