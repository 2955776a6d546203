import Contracts
import Crypto
import FoundationEssentials
import Postgres

/// What a first-party app shows of itself and its user.
struct AppVisit: Sendable {
    /// What the app keeps on the telephone, and shows with every request.
    let device: BrowserSecret
    let username: String?
    let password: String?
    /// Of the authenticator app, or a recovery code.
    let code: String?
    let system: String
    let network: String
    let traceparent: String?
    let deadline: ContinuousClock.Instant?
    /// What the app goes on with after this request, if it can.
    let next = BrowserSecret.random()

    var origin: AttemptOrigin { AttemptOrigin(deviceHash: device.hash, network: network) }
}

/// What a first-party app is answered.
enum ChallengeTurn: Sendable {
    case code(String)
    /// With what it goes on, unless it can't.
    case refused(ChallengeRefusal, authSession: BrowserSecret?)
}

/// Why a first-party app gets no code yet (OAuth 2.0 for First-Party Applications, section 5.2.2).
enum ChallengeRefusal: Error, Sendable, Hashable {
    /// The address and password, or then the second factor, are still missing.
    case insufficient
    case credential(CredentialRefusal)
    /// The `auth_session` is unknown, another's, used or expired: begin again.
    case invalidSession
    /// A page has to do it: consent, a password that is too short, a disabled account.
    case redirectToWeb
    case request(AuthorizationError)
}

/// Signs a person in to a first-party app without a browser: the same steps, counters and gate as by the pages.
///
/// An `auth_session` is good for one request of the app and device that it was given to: it is used up before anything is looked at, so that
/// of equal requests at once one goes on. Every answer brings a new one.
struct AnswerChallenge: Sendable {
    private let pool: PostgresPool
    private let verifyPassword: VerifyPassword
    private let verifySecondFactor: VerifySecondFactor
    private let issueCode: IssueCode
    private let tell: TellOfNewDevice
    private let now: @Sendable () -> Timestamp
    private let flows = SignInFlowStore()
    private let sessions = SessionStore()
    private let devices = DeviceStore()

    init(
        pool: PostgresPool, verifyPassword: VerifyPassword, verifySecondFactor: VerifySecondFactor, issueCode: IssueCode,
        tell: TellOfNewDevice, now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.verifyPassword = verifyPassword
        self.verifySecondFactor = verifySecondFactor
        self.issueCode = issueCode
        self.tell = tell
        self.now = now
    }

    /// - Throws: `PostgresError`.
    func callAsFunction(_ parameters: OAuthParameters, client: OAuthClient, _ visit: AppVisit) async throws -> ChallengeTurn {
        do {
            guard client.isFirstParty else {
                throw ChallengeRefusal.request(AuthorizationError(.unauthorizedClient, "The client is not a first-party app."))
            }
            let flow = try await flow(parameters, client, visit)
            switch flow.progress.step {
            case .password: return try await enterPassword(flow, client, visit)
            case .secondFactor: return try await enterSecondFactor(flow, client, visit)
            case .consent, .finished, .refused: throw ChallengeRefusal.invalidSession
            }
        } catch is SignInMisstep {
            return .refused(.invalidSession, authSession: nil)
        } catch let refusal as ChallengeRefusal {
            return .refused(refusal, authSession: nil)
        } catch let refusal as TokenRefusal {
            return .refused(refusal.endsSession ? .invalidSession : .request(refusal.authorizationError), authSession: nil)
        }
    }

    /// The flow that the app goes on with, or a new one.
    private func flow(_ parameters: OAuthParameters, _ client: OAuthClient, _ visit: AppVisit) async throws -> SignInFlow {
        let (now, owner) = (now(), Self.owner(visit.next, client.id, visit))
        if let text = parameters["auth_session"] {
            guard !parameters.isRepeated("auth_session"), let secret = BrowserSecret(text) else { throw ChallengeRefusal.invalidSession }
            let shown = Self.owner(secret, client.id, visit)
            let found = try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in
                try flows.take(from: shown, for: owner, at: now, session)
            }
            guard let found else { throw ChallengeRefusal.invalidSession }
            return found
        }
        let request: AuthorizationRequest
        do throws(AuthorizationError) {
            request = try AuthorizationRequest(challenge: parameters, client: client)
        } catch {
            throw ChallengeRefusal.request(error)
        }
        guard request.prompt.isDisjoint(with: [.none, .consent]) else { throw ChallengeRefusal.redirectToWeb }
        var random = SystemRandomNumberGenerator()
        let flow = SignInFlow(
            id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), owner: owner, request: request,
            progress: SignInProgress(
                request.demand, session: nil, hasSecondFactor: false, needsConsent: false, now: now,
                expiresAt: now.adding(seconds: SignInFlow.lifeSeconds)),
            session: nil, createdAt: now)
        try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in try flows.insert(flow, session) }
        return flow
    }

    /// Whose a flow is: shown by another app, or from another device, its secret is worth nothing.
    private static func owner(_ secret: BrowserSecret, _ client: String, _ visit: AppVisit) -> [UInt8] {
        Array(SHA256.hash(data: secret.hash + visit.device.hash + Array(client.utf8)))
    }

    private func enterPassword(_ flow: SignInFlow, _ client: OAuthClient, _ visit: AppVisit) async throws -> ChallengeTurn {
        guard let username = visit.username, let password = visit.password else { return .refused(.insufficient, authSession: visit.next) }
        let verified: VerifiedPassword
        do {
            guard let address = EmailAddress(username) else { throw CredentialRefusal.wrong }
            verified = try await verifyPassword(password, for: address, from: visit.origin, until: visit.deadline)
        } catch let refusal as CredentialRefusal {
            return .refused(.credential(refusal), authSession: visit.next)
        }
        let proof = PasswordProof(
            user: verified.user, generation: verified.generation, hasSecondFactor: verified.secondFactor, isShort: verified.isShort)
        return try await move(flow, client, visit, refusedAs: proof.isShort ? .redirectToWeb : .request(.noSecondFactor)) { progress, now in
            try progress.entered(proof, needsConsent: false, at: now)
        }
    }

    private func enterSecondFactor(_ flow: SignInFlow, _ client: OAuthClient, _ visit: AppVisit) async throws -> ChallengeTurn {
        guard let code = visit.code, let user = flow.progress.proved?.user else { return .refused(.insufficient, authSession: visit.next) }
        let factor: SecondFactor
        do {
            factor = try await verifySecondFactor(code, of: user, from: visit.origin, until: visit.deadline)
        } catch CredentialRefusal.wrong {
            let now = now()
            let takesMore = try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in
                try flows.countWrongCode(flow, at: now, session)
            }
            return .refused(.credential(.wrong), authSession: takesMore ? visit.next : nil)
        } catch let refusal as CredentialRefusal {
            return .refused(.credential(refusal), authSession: visit.next)
        }
        return try await move(flow, client, visit, refusedAs: .invalidSession) { progress, now in
            try progress.entered(AuthenticationMethod(factor), needsConsent: false, at: now)
        }
    }

    private func move(
        _ flow: SignInFlow, _ client: OAuthClient, _ visit: AppVisit, refusedAs refusal: ChallengeRefusal,
        _ change: @escaping @Sendable (SignInProgress, Timestamp) throws -> SignInProgress
    ) async throws -> ChallengeTurn {
        let now = now()
        return try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in
            guard let standing = try flows.lock(flow.id, session), standing.owner == flow.owner, standing.progress.step == flow.progress.step else {
                throw ChallengeRefusal.invalidSession
            }
            let next = try change(standing.progress, now)
            var (code, sessionID): (String?, UUID?)
            if next.step == .finished, let authentication = next.authentication {
                let started = try start(authentication, client, visit, at: now, session)
                code = try issueCode(flow.request, authentication, sessionID: started, session)
                sessionID = started
            }
            guard try flows.advance(standing, to: next, session: sessionID, at: now, session) else {
                throw ChallengeRefusal.invalidSession
            }
            if let code { return .code(code) }
            return next.step == .refused ? .refused(refusal, authSession: nil) : .refused(.insufficient, authSession: visit.next)
        }
    }

    /// An app has one session on a device: the new one takes the place of the one before.
    private func start(
        _ authentication: Authentication, _ client: OAuthClient, _ visit: AppVisit, at now: Timestamp, _ session: PostgresSession
    ) throws -> UUID {
        guard try sessions.lockUser(authentication.user, generation: authentication.generation, session) != nil else {
            throw TokenRefusal.generationChanged
        }
        let sighting = DeviceSighting(app: BrowserName.of(visit.system, program: client.name), place: visit.network)
        let device = try devices.recognise(visit.device, of: authentication.user, sighting, at: now, session)
        try sessions.endAll(
            ofClient: client.id, onDevice: device.id, of: authentication.user, reason: .replaced, at: now, traceparent: visit.traceparent, session)
        let id = try sessions.start(
            authentication, on: device, cookie: nil, client: client.id, at: now, traceparent: visit.traceparent, session)
        guard let id else { throw TokenRefusal.generationChanged }
        try tell(device, sighting, of: authentication.user, at: now, traceparent: visit.traceparent, session)
        return id
    }
}
