import AccessTokens
import Contracts
import HTTPService
import HTTPTypes
import Observability

/// Where a person is signed in, for that person.
struct SessionRoutes {
    let sessions: ManageSessions

    private static let owners = TokenAccess.signedWithToken([
        RouteGrant(callers: ["api-gateway", "mobile-bff"], holder: .user, scope: "wallet")
    ])

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/me/sessions", access: Self.owners, handler: list),
            Endpoint(.delete, "/v1/me/sessions", access: Self.owners, handler: endOthers),
            Endpoint(.delete, "/v1/me/sessions/{id}", access: Self.owners, handler: end),
            Endpoint(.get, "/v1/me/devices", access: Self.owners, handler: listDevices),
            Endpoint(.patch, "/v1/me/devices/{id}", access: Self.owners, body: .json, handler: rename),
            Endpoint(.delete, "/v1/me/devices/{id}", access: Self.owners, handler: remove),
        ]
    }

    private func list(_ request: AuthenticatedRequest) async throws -> Answer {
        try await answering {
            Answer(.ok, PageBody(items: try await sessions.list(for: try request.owner, until: request.deadline), nextCursor: nil))
        }
    }

    private func endOthers(_ request: AuthenticatedRequest) async throws -> Answer {
        try await answering {
            try await sessions.endOthers(for: try request.owner, until: request.deadline)
            return .noContent()
        }
    }

    private func end(_ request: AuthenticatedRequest) async throws -> Answer {
        let id: SessionID = try request.identifier()
        return try await answering {
            try await sessions.end(id, for: try request.owner, until: request.deadline)
            return .noContent()
        }
    }

    private func listDevices(_ request: AuthenticatedRequest) async throws -> Answer {
        try await answering {
            Answer(.ok, PageBody(items: try await sessions.listDevices(for: try request.owner, until: request.deadline), nextCursor: nil))
        }
    }

    private func rename(_ request: AuthenticatedRequest) async throws -> Answer {
        let (id, body): (DeviceID, RenameDeviceRequest) = (try request.identifier(), try request.decode(RenameDeviceRequest.self))
        return try await answering {
            Answer(.ok, try await sessions.rename(id, to: body.name, for: try request.owner, until: request.deadline))
        }
    }

    private func remove(_ request: AuthenticatedRequest) async throws -> Answer {
        let id: DeviceID = try request.identifier()
        return try await answering {
            try await sessions.remove(id, for: try request.owner, until: request.deadline)
            return .noContent()
        }
    }

    private func answering(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let refusal as SessionRefusal {
            throw Problem(refusal)
        }
    }
}

extension Problem {
    init(_ refusal: SessionRefusal) {
        switch refusal {
        case .signedOut: self.init(ProblemCode.tokenInvalid)
        case .notFound: self.init(ProblemCode.notFound)
        }
    }
}

extension AuthenticatedRequest {
    /// - Throws: ``Problem`` `token_invalid` for a token that is not a person's, or of no session.
    fileprivate var owner: SessionOwner {
        get throws {
            guard case .user(let subject) = token.principal, let user = UserID(subject), let session = token.sessionID.flatMap({ SessionID($0) })
            else { throw Problem(.tokenInvalid) }
            return SessionOwner(user: user.uuid, session: session.uuid, traceparent: trace.traceparent)
        }
    }
}
