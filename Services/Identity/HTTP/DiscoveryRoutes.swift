import AccessTokens
import Contracts
import Crypto
import HTTPService
import HTTPTypes
import StrictJSON

/// What everybody may know of the provider: where its endpoints are, and its public keys.
struct DiscoveryRoutes: Sendable {
    let keys: SigningKeyRing
    private let metadata: PublicDocument

    init(issuer: String, keys: SigningKeyRing) {
        self.keys = keys
        metadata = PublicDocument(ProviderMetadata(issuer: issuer))
    }

    /// Caches ask with queries of their own; nothing depends on them.
    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/.well-known/openid-configuration", access: .public, takesQuery: true, handler: discovery),
            Endpoint(.get, "/.well-known/oauth-authorization-server", access: .public, takesQuery: true, handler: discovery),
            Endpoint(.get, "/oauth2/jwks", access: .public, takesQuery: true, handler: keySet),
        ]
    }

    private func discovery(_ request: PublicRequest) -> Answer { metadata.answer(to: request) }

    private func keySet(_ request: PublicRequest) -> Answer { PublicDocument(keys.document).answer(to: request) }
}

/// A document that any page of any origin may read, and keep for a while (RFC 9111; Fetch, "CORS protocol").
private struct PublicDocument: Sendable, WireEncodable {
    private let text: String
    private let tag: String

    init(_ body: some WireEncodable) {
        let bytes = body.wireBytes()
        text = String(decoding: bytes, as: UTF8.self)
        tag = "\"\(Base64URL.encode(Array(SHA256.hash(data: bytes)).prefix(16)))\""
    }

    func encode(into writer: inout JSONWriter) { writer.json(text) }

    func answer(to request: PublicRequest) -> Answer {
        let fields = [
            HTTPField(name: .cacheControl, value: "public, max-age=\(SigningKeySchedule.documentAge.components.seconds)"),
            HTTPField(name: .eTag, value: tag), HTTPField(name: .accessControlAllowOrigin, value: "*"),
        ]
        let known = request.headers[values: .ifNoneMatch].joined(separator: ",").split(separator: ",").map { text in text.drop { $0 == " " } }
        let isKnown = known.contains { $0 == "*" || $0 == tag || $0 == "W/\(tag)" }
        return isKnown ? .notModified(extraHeaders: fields) : Answer(.ok, self, extraHeaders: fields)
    }
}
