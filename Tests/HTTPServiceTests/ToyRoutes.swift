import AccessTokens
import Contracts
import HTTPService
import HTTPTypes
import Hummingbird
import Idempotency
import NIOCore
import StrictJSON

/// One route of each kind of access, body and answer.
struct ToyRoutes {
    static let origin = "https://staff.example"
    static let cookie = "__Host-session"
    static let wallets = RouteGrant(callers: ["mobile-bff"], holder: .user, scope: "wallet")
    static let multifactor = RequiredAuthentication(contexts: ["urn:florin:acr:mfa"], maximumAgeSeconds: 300)

    struct Client {
        let name: String
    }

    struct Session {
        let staff: String
    }

    private let clients = ClientAccess<Client> { credentials in
        // One with a secret, one that can't keep one.
        switch (credentials.id, credentials.secret) {
        case ("shop:1", "s e+c%ret"?), ("app", nil): Client(name: credentials.id)
        default: nil
        }
    }
    private let staff = SessionAccess<Session>(cookie: ToyRoutes.cookie, origin: ToyRoutes.origin) { $0 == "open" ? Session(staff: "anna") : nil }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/public", access: .public, handler: greeting),
            Endpoint(.post, "/public/notes", access: .public, body: .json, handler: note),
            Endpoint(.post, "/public/pings", access: .public, handler: ping),
            Endpoint(.post, "/public/uploads", access: .public, body: .stream, bodyLimit: 200_000, handler: upload),
            Endpoint(.get, "/public/export", access: .public, takesQuery: true, handler: export),
            Endpoint(.post, "/token", access: clients, refusal: Self.oauthError, handler: token),
            Endpoint(.get, "/client", access: clients, body: .none, handler: client),
            Endpoint(.post, "/users", access: .signed(by: ["api-gateway"]), body: .json, handler: register),
            Endpoint(.get, "/me", access: .signedWithToken([Self.wallets]), handler: me),
            Endpoint(.post, "/me/notes", access: .signedWithToken([Self.wallets]), body: .json, handler: myNote),
            Endpoint(.post, "/me/keyed", access: .signedWithToken([Self.wallets]), body: .json, keepsKey: true, handler: keyed),
            Endpoint(.post, "/sign-in", access: .public(from: Self.origin), body: .form, handler: signIn),
            Endpoint(.post, "/me/risky", access: .signedWithToken([Self.wallets]), body: .json, handler: risky),
            Endpoint(
                .post, "/me/password", access: .signedWithToken([Self.wallets], authentication: Self.multifactor), body: .json, handler: password),
            Endpoint(.get, "/pages/alerts", access: staff, refusal: Self.page, handler: alerts),
            Endpoint(.post, "/pages/alerts/{id}", access: staff, body: .form, refusal: Self.page, handler: resolve),
            Endpoint(.delete, "/pages/session", access: staff, handler: signOut),
        ]
    }

    // MARK: public

    private func greeting(_: PublicRequest) async throws -> Answer { Answer(.ok, Text("hello")) }

    private func note(_ request: PublicRequest) async throws -> Answer { Answer(.created, try request.decode(Text.self)) }

    private func ping(_: PublicRequest) async throws -> Answer { .noContent() }

    private func upload(_ request: PublicRequest) async throws -> Answer {
        var count = 0
        for try await part in request.stream { count += part.readableBytes }
        return Answer(.ok, Text("\(count) bytes"))
    }

    /// As long as nobody knows, or says.
    private func export(_ request: PublicRequest) async throws -> Answer {
        let lines = (1...3).map { "line \($0)\n" }
        let length = request.query == "known" ? lines.map(\.utf8.count).reduce(0, +) : nil
        return .stream(mediaType: "text/csv", length: length) { writer in
            for line in lines { try await writer.write(ByteBuffer(string: line)) }
        }
    }

    // MARK: clients

    private func token(_ request: EndpointRequest<Client>) async throws -> Answer {
        let grant = try request.form().required("grant_type")
        return Answer(.ok, Text("\(grant) for \(request.identity.name)"), extraHeaders: [HTTPField(name: .cacheControl, value: "no-store")])
    }

    private func client(_ request: EndpointRequest<Client>) async throws -> Answer { Answer(.ok, Text(request.identity.name)) }

    /// RFC 6749, section 5.2.
    private static func oauthError(_ problem: Problem) -> Answer {
        Answer(.init(code: problem.status), OAuthError(code: problem.code == .clientInvalid ? "invalid_client" : "invalid_request"))
    }

    // MARK: services

    private func register(_ request: SignedRequest) async throws -> Answer {
        Answer(.created, Text("\(try request.decode(Text.self).text) by \(request.caller)"))
    }

    private func me(_ request: AuthenticatedRequest) async throws -> Answer { Answer(.ok, Text("\(request.token.principal) by \(request.caller)")) }

    private func myNote(_ request: AuthenticatedRequest) async throws -> Answer { Answer(.created, try request.decode(Text.self)) }

    private func keyed(_ request: AuthenticatedRequest) async throws -> Answer {
        Answer(.created, Text(try request.idempotencyKey(principal: "usr")?.key ?? "none"))
    }

    /// Judges only while it works that the sign-in does not do.
    private func risky(_ request: AuthenticatedRequest) async throws -> Answer { throw RequiredAuthentication(contexts: ["urn:florin:acr:mfa"]) }

    private func password(_: AuthenticatedRequest) async throws -> Answer { .noContent() }

    // MARK: browsers

    private func signIn(_ request: PublicRequest) async throws -> Answer {
        .redirect(to: "/pages/alerts", extraHeaders: [Self.set(Self.cookie, try request.form().required("name"))])
    }

    private func alerts(_ request: EndpointRequest<Session>) async throws -> Answer { .html("<p>\(request.identity.staff)</p>") }

    private func resolve(_ request: EndpointRequest<Session>) async throws -> Answer {
        let form = try request.form()
        return .redirect(
            to: "/pages/alerts",
            extraHeaders: [Self.set("notice", try form.required("resolution")), Self.set("last", request.parameters.get("id") ?? "")])
    }

    private func signOut(_: EndpointRequest<Session>) async throws -> Answer {
        .noContent(extraHeaders: [Self.set(Self.cookie, "; Max-Age=0"), Self.set("notice", "; Max-Age=0")])
    }

    private static func set(_ name: String, _ value: String) -> HTTPField { HTTPField(name: .setCookie, value: "\(name)=\(value)") }

    private static func page(_ problem: Problem) -> Answer {
        problem.code == .sessionMissing
            ? .redirect(to: "/sign-in") : .html("<p>\(problem.code.title)</p>", .init(code: problem.status))
    }
}

/// A body that both sides use.
struct Text: WireRequest {
    let text: String

    init(_ text: String) { self.text = text }

    init(reading object: inout JSONObjectReader) throws(RequestFault) { text = try object.string("text", length: 1...100) }

    func encode(into writer: inout JSONWriter) { writer.object { $0.member("text", text) } }
}

private struct OAuthError: WireEncodable {
    let code: String

    func encode(into writer: inout JSONWriter) { writer.object { $0.member("error", code) } }
}
