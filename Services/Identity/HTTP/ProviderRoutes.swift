import AccessTokens
import Contracts
import HTTPService
import HTTPTypes
import Logging
import Observability
import StrictJSON

/// The OpenID Provider's endpoints for programs: tokens, and what is known of them.
struct ProviderRoutes: Sendable {
    let verifyClient: VerifyClient
    let redeemCode: RedeemCode
    let refreshTokens: RefreshTokens
    let issueClientToken: IssueClientToken
    let introspect: IntrospectToken
    let revoke: RevokeToken
    let describeUser: DescribeUser
    let verifiers: AudienceVerifiers
    let issuer: String
    let metrics: ProviderMetrics?
    let logger: Logger
    let now: @Sendable () -> Timestamp

    var endpoints: [Endpoint] {
        let clients = ClientAccess<OAuthClient> { [verifyClient] in try await verifyClient($0) }
        // A client without a secret is anybody.
        let confidential = ClientAccess<OAuthClient> { [verifyClient] credentials in
            try await verifyClient(credentials).flatMap { $0.isConfidential ? $0 : nil }
        }
        return [
            Endpoint(.post, "/oauth2/token", access: clients, body: .form, refusal: OAuthErrors.answer, handler: token),
            Endpoint(.post, "/oauth2/introspect", access: confidential, body: .form, refusal: OAuthErrors.answer, handler: introspection),
            Endpoint(.post, "/oauth2/revoke", access: clients, body: .form, refusal: OAuthErrors.answer, handler: revocation),
            Endpoint(.get, "/oauth2/userinfo", access: .public, handler: userInfo),
            Endpoint(.post, "/oauth2/userinfo", access: .public, handler: userInfo),
        ]
    }

    private func token(_ request: EndpointRequest<OAuthClient>) async throws -> Answer {
        do {
            let (grant, body) = try await tokens(
                try request.form(), request.identity, traceparent: request.trace.traceparent, until: request.deadline)
            metrics?.issued(grant)
            return Answer(.ok, body, extraHeaders: OAuthErrors.noStore)
        } catch let refusal as TokenRefusal {
            metrics?.refused(refusal)
            logger.info(
                "no token was issued",
                metadata: ["reason": "\(refusal.rawValue)", "client_id": "\(request.identity.id)", "request_id": "\(request.requestID)"])
            throw Problem(refusal)
        }
    }

    private func tokens(
        _ form: Form, _ client: OAuthClient, traceparent: String?, until deadline: ContinuousClock.Instant
    ) async throws -> (GrantType, TokenBody) {
        guard let grant = GrantType(rawValue: try form.required("grant_type")) else { throw TokenRefusal.grantTypeUnknown }
        guard client.grants.contains(grant) else { throw TokenRefusal.grantTypeNotAllowed }
        switch grant {
        case .authorizationCode:
            let body = try await redeemCode(
                code: try form.required("code"), redirectURI: form["redirect_uri"], verifier: form["code_verifier"], client: client, until: deadline)
            return (grant, body)
        case .refreshToken:
            let body = try await refreshTokens(
                try form.required("refresh_token"), scope: form["scope"], client: client, traceparent: traceparent, until: deadline)
            return (grant, body)
        case .clientCredentials: return (grant, try issueClientToken(scope: form["scope"], client: client))
        }
    }

    private func introspection(_ request: EndpointRequest<OAuthClient>) async throws -> Answer {
        let body = try await introspect(try request.form().required("token"), by: request.identity, until: request.deadline)
        metrics?.introspected(isActive: body.token != nil)
        return Answer(.ok, body, extraHeaders: OAuthErrors.noStore)
    }

    private func revocation(_ request: EndpointRequest<OAuthClient>) async throws -> Answer {
        let text = try request.form().required("token")
        // An access token is good until it expires; who asks to revoke one must not believe that it was (RFC 7009, section 2.2.1).
        guard (try? await verifiers.verify(text, audience: request.identity.audience, now: now().seconds)) == nil else {
            throw Problem(.unsupportedTokenType)
        }
        try await revoke(text, by: request.identity, until: request.deadline)
        return Answer(.ok, Revoked(), extraHeaders: OAuthErrors.noStore)
    }

    private func userInfo(_ request: PublicRequest) async throws -> Answer {
        let token = try await verifiers[issuer].authenticate(authorizationHeader: request.headers[.authorization], now: now().seconds)
        return Answer(.ok, try await describeUser(token, until: request.deadline), extraHeaders: OAuthErrors.noStore)
    }
}

/// The answer to a revocation, of which only the status says something (RFC 7009, section 2.2).
private struct Revoked: WireEncodable {
    func encode(into writer: inout JSONWriter) { writer.object { _ in } }
}
