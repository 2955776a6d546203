import Contracts
import StrictJSON

/// What the provider can do, and where (OpenID Connect Discovery; RFC 8414): everything follows from the issuer.
struct ProviderMetadata: WireEncodable {
    let issuer: String

    func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("issuer", issuer)
            address("authorization_endpoint", "/oauth2/authorize", &writer)
            address("authorization_challenge_endpoint", "/oauth2/authorize-challenge", &writer)
            address("token_endpoint", "/oauth2/token", &writer)
            address("userinfo_endpoint", "/oauth2/userinfo", &writer)
            address("jwks_uri", "/oauth2/jwks", &writer)
            address("introspection_endpoint", "/oauth2/introspect", &writer)
            address("revocation_endpoint", "/oauth2/revoke", &writer)
            address("end_session_endpoint", "/oauth2/logout", &writer)
            list("scopes_supported", ["openid", "profile", "email", "offline_access"], &writer)
            list("response_types_supported", ["code"], &writer)
            list("response_modes_supported", ["query"], &writer)
            list("grant_types_supported", ["authorization_code", "refresh_token", "client_credentials"], &writer)
            list("subject_types_supported", ["public"], &writer)
            list("id_token_signing_alg_values_supported", ["ES256"], &writer)
            list("token_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post", "none"], &writer)
            list("introspection_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post"], &writer)
            list("revocation_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post", "none"], &writer)
            list("code_challenge_methods_supported", ["S256"], &writer)
            list("acr_values_supported", ["urn:florin:acr:pwd", "urn:florin:acr:mfa"], &writer)
            list("prompt_values_supported", ["none", "login", "consent", "select_account"], &writer)
            list("ui_locales_supported", ["en", "de"], &writer)
            list(
                "claims_supported",
                [
                    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "name", "locale", "email",
                    "email_verified",
                ],
                &writer)
            writer.member("authorization_response_iss_parameter_supported", true)
            writer.member("claims_parameter_supported", false)
            writer.member("request_parameter_supported", false)
            writer.member("request_uri_parameter_supported", false)
        }
    }

    private func address(_ name: StaticString, _ path: String, _ writer: inout JSONWriter) { writer.member(name, issuer + path) }

    private func list(_ name: StaticString, _ values: [String], _ writer: inout JSONWriter) {
        writer.name(name)
        writer.array { writer in
            for value in values { writer.string(value) }
        }
    }
}
