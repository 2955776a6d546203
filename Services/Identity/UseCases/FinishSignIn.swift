import Contracts
import FoundationEssentials
import Postgres

/// Ends a flow whose person has proved all that was asked: a session, a code, and the flow's last state, in one transaction.
package struct FinishSignIn: Sendable {
    private let issuer: String
    private let issueCode: IssueCode
    private let readHint: ReadIDTokenHint
    private let tell: TellOfNewDevice
    private let sessions = SessionStore()
    private let devices = DeviceStore()
    private let flows = SignInFlowStore()

    init(issuer: String, issueCode: IssueCode, readHint: ReadIDTokenHint, tell: TellOfNewDevice) {
        self.issuer = issuer
        self.issueCode = issueCode
        self.readHint = readHint
        self.tell = tell
    }

    /// - Parameters:
    ///   - flow: As it stands, locked.
    ///   - next: Its last state.
    ///   - owner: The secret of the browser that it belongs to.
    /// - Throws: ``TokenRefusal`` when the account, the session that the flow began with or the client is not what it was;
    ///   ``AuthorizationFault`` when the client means another person; `PostgresError`.
    func callAsFunction(
        _ flow: SignInFlow, _ next: SignInProgress, for visit: BrowserVisit, owner: BrowserSecret, at now: Timestamp, _ session: PostgresSession
    ) throws -> SignInAnswer {
        guard let authentication = next.authentication, let address = flow.request.answerAddress else { throw TokenRefusal.sessionEnded }
        // The client asked for this person, or for an error (OpenID Connect Core, section 3.1.2.2).
        if let hint = flow.request.idTokenHint.flatMap({ readHint($0) }), hint.user.uuid != authentication.user {
            throw AuthorizationFault.redirect(
                AuthorizationError(.loginRequired, "Another person has signed in than the one that the id_token_hint names."), to: address)
        }
        let place = try settle(flow, authentication, for: visit, at: now, session)
        let code = try issueCode(flow.request, authentication, sessionID: place.id, session)
        if place.cookie == nil { try sessions.touch(place.id, place: visit.network, at: now, session) }
        let answer = SignInAnswer(location: address.location(code: code, issuer: issuer), session: place.cookie, device: place.device)
        let sealed = try owner.seal(answer.text, of: flow.id.uuid)
        guard try flows.advance(flow, to: next, session: place.id, sealedAnswer: sealed, at: now, session) else {
            throw TokenRefusal.sessionEnded
        }
        return answer
    }

    /// The session that a sign-in leads to, and the cookies that are new.
    private struct Place {
        let id: UUID
        var cookie: BrowserSecret?
        var device: BrowserSecret?
    }

    /// Whoever signs in gets a new cookie (ID-02): the same person in the same session, somebody else in place of the one before.
    private func settle(
        _ flow: SignInFlow, _ authentication: Authentication, for visit: BrowserVisit, at now: Timestamp, _ session: PostgresSession
    ) throws -> Place {
        guard try sessions.lockUser(authentication.user, generation: authentication.generation, session) != nil else {
            throw TokenRefusal.generationChanged
        }
        let current = try visit.sessionSecret.flatMap { try sessions.find(cookie: $0, at: now, session) }
        if let began = flow.session {
            // What was proved before the flow began is worth what its session is worth.
            guard let current, current.id == began else { throw TokenRefusal.sessionEnded }
            if authentication == current.authentication { return Place(id: began) }
        }
        let cookie = BrowserSecret.random()
        if let current {
            if current.authentication.user == authentication.user {
                guard try sessions.renew(current.id, authentication, cookie: cookie, at: now, session) else { throw TokenRefusal.sessionEnded }
                return Place(id: current.id, cookie: cookie)
            }
            try sessions.end(
                current.id, of: current.authentication.user, reason: .replaced, at: now, traceparent: visit.traceparent, session)
        }
        let secret = visit.deviceSecret ?? .random()
        let device = try devices.recognise(secret, of: authentication.user, visit.sighting, at: now, session)
        guard
            let id = try sessions.start(
                authentication, on: device, cookie: cookie, client: nil, at: now, traceparent: visit.traceparent, session)
        else { throw TokenRefusal.generationChanged }
        try tell(device, visit.sighting, of: authentication.user, at: now, traceparent: visit.traceparent, session)
        return Place(id: id, cookie: cookie, device: visit.deviceSecret == nil ? secret : nil)
    }
}
