import Contracts
import FoundationEssentials
import Postgres

/// What a client asks when it sends a browser to sign out.
struct SignOutRequest: Sendable, Hashable {
    /// The client that asks, as far as that is known.
    let client: OAuthClient?
    /// Where the browser goes then: registered by the client, with its `state`.
    let returnURL: String?
    /// Whom the client means, if it can prove it.
    let hint: IDTokenHint?
}

/// What a browser gets that is to be signed out.
enum SignOutTurn: Sendable {
    /// Whether the person means it.
    case ask(SignOutRequest, LiveSession, owner: BrowserSecret)
    /// Nobody is signed in any longer.
    case done(SignOutRequest)
}

/// Ends a browser's session because a client or its owner asks for it (OpenID Connect RP-Initiated Logout).
struct SignOut: Sendable {
    private let pool: PostgresPool
    private let readHint: ReadIDTokenHint
    private let now: @Sendable () -> Timestamp
    private let clients = ClientStore()
    private let sessions = SessionStore()

    init(pool: PostgresPool, readHint: ReadIDTokenHint, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.readHint = readHint
        self.now = now
    }

    /// At once where the client's ID token names the browser's very session; otherwise the person is asked, or any page could sign anybody out.
    ///
    /// - Throws: `PostgresError`.
    func callAsFunction(_ parameters: OAuthParameters, for visit: BrowserVisit) async throws -> SignOutTurn {
        let request = try await read(parameters, visit)
        guard let owner = visit.sessionSecret, let live = try await session(of: owner, visit) else { return .done(request) }
        guard let hint = request.hint, hint.user.uuid == live.authentication.user, hint.session.uuid == live.id else {
            return .ask(request, live, owner: owner)
        }
        try await end(live, visit)
        return .done(request)
    }

    /// After the person said so on our own page.
    ///
    /// - Parameter token: The page's.
    /// - Throws: `PostgresError`.
    func confirmed(_ parameters: OAuthParameters, token: String, for visit: BrowserVisit) async throws -> SignOutTurn {
        let request = try await read(parameters, visit)
        guard let owner = visit.sessionSecret, let live = try await session(of: owner, visit) else { return .done(request) }
        guard owner.isFormToken(token, of: live.id) else { return .ask(request, live, owner: owner) }
        try await end(live, visit)
        return .done(request)
    }

    private func session(of secret: BrowserSecret, _ visit: BrowserVisit) async throws -> LiveSession? {
        let now = now()
        return try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in
            try sessions.find(cookie: secret, at: now, session)
        }
    }

    private func end(_ live: LiveSession, _ visit: BrowserVisit) async throws {
        let now = now()
        try await pool.withTransaction(within: WaitLimit(until: visit.deadline)) { session in
            try sessions.lockOwner(live.authentication.user, session)
            try sessions.end(
                live.id, of: live.authentication.user, reason: .signedOut, at: now, traceparent: visit.traceparent, session)
        }
    }

    private static let known = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]

    /// A parameter that is given twice, a client that is unknown or another than the hint's, an address that is not registered: nothing of
    /// these is followed, and the person still gets signed out.
    private func read(_ parameters: OAuthParameters, _ visit: BrowserVisit) async throws -> SignOutRequest {
        let values = Dictionary(
            uniqueKeysWithValues: Self.known.filter { !parameters.isRepeated($0) }.compactMap { name in parameters[name].map { (name, $0) } })
        let hint = values["id_token_hint"].flatMap { readHint($0) }
        guard let id = hint?.client ?? values["client_id"], (values["client_id"] ?? id) == id else {
            return SignOutRequest(client: nil, returnURL: nil, hint: nil)
        }
        let client = try await pool.withSession(within: WaitLimit(until: visit.deadline)) { session in try clients.find(session, id) }
        guard let client, client.disabledAt == nil else { return SignOutRequest(client: nil, returnURL: nil, hint: nil) }
        var returnURL: String?
        if let address = values["post_logout_redirect_uri"],
            client.postLogoutRedirectURIs.contains(where: { ExactText($0) == ExactText(address) })
        {
            let state = values["state"].map { (address.contains("?") ? "&" : "?") + "state=" + AnswerAddress.encoded($0) }
            returnURL = address + (state ?? "")
        }
        return SignOutRequest(client: client, returnURL: returnURL, hint: hint)
    }
}
