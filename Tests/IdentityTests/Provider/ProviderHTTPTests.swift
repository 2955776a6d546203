import Contracts
import Foundation
import Observability
import StrictJSON
import TestSupport
import Testing

@testable import Identity

@Suite("The provider over HTTP")
struct ProviderHTTPTests {
    private static func redeeming(_ code: (code: String, verifier: String, user: UUID)) -> String {
        "grant_type=authorization_code&code=\(code.code)&code_verifier=\(code.verifier)&redirect_uri=\(ProviderAPI.encoded(ProviderAPI.redirectURI))"
    }

    @Test("ID-12: discovery and RFC 8414's metadata are one document, made from the issuer and from nothing else")
    func discovery() async throws {
        let api = try await ProviderAPI.shared()
        let issuer = "http://127.0.0.1:\(api.port)"
        let plain = try await api.send("GET", "/.well-known/openid-configuration")
        let other = try await api.send(
            "GET", "/.well-known/oauth-authorization-server?x=y",
            fields: ["X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"])
        #expect(plain.status == 200 && plain.text == other.text && !plain.text.contains("evil"))
        #expect(plain.json["issuer"]?.stringValue == issuer && plain.json["jwks_uri"]?.stringValue == "\(issuer)/oauth2/jwks")
        #expect(plain.json["authorization_response_iss_parameter_supported"]?.boolValue == true)
        #expect(plain.json["code_challenge_methods_supported"] == .array([.string("S256")]))
        for route in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/userinfo", "/oauth2/jwks"] {
            #expect(plain.text.contains("\"\(issuer)\(route)\""))
        }
    }

    @Test("ID-29, ID-31: the key set says how long it may be kept, is asked for by its tag, and any origin may read it")
    func keySet() async throws {
        let api = try await ProviderAPI.shared()
        let first = try await api.send("GET", "/oauth2/jwks", fields: ["Origin": "https://app.example"])
        #expect(first.status == 200 && first.fields["cache-control"] == "public, max-age=300")
        #expect(first.fields["access-control-allow-origin"] == "*" && first.fields["content-type"] == "application/json")
        let key = try #require(first.json["keys"]?[0])
        #expect(key["kty"]?.stringValue == "EC" && key["crv"]?.stringValue == "P-256" && key["alg"]?.stringValue == "ES256" && key["d"] == nil)
        let tag = try #require(first.fields["etag"])
        for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
            let again = try await api.send("GET", "/oauth2/jwks", fields: ["If-None-Match": known])
            #expect(again.status == 304 && again.text.isEmpty && again.fields["etag"] == tag, "\(known)")
        }
        #expect(try await api.send("GET", "/oauth2/jwks", fields: ["If-None-Match": "\"x\""]).status == 200)
        #expect(try await api.send("HEAD", "/oauth2/jwks").status == 200)
    }

    @Test("code, refresh, introspection, revocation: each answer is never stored")
    func journey() async throws {
        let api = try await ProviderAPI.shared()
        let code = try await api.code()
        let issued = try await api.token(Self.redeeming(code))
        #expect(issued.status == 200 && issued.fields["cache-control"] == "no-store" && issued.fields["pragma"] == "no-cache")
        #expect(issued.json["token_type"]?.stringValue == "Bearer" && issued.json["expires_in"]?.integerValue == 300)
        let refresh = try #require(issued.json["refresh_token"]?.stringValue)
        let refreshed = try await api.token("grant_type=refresh_token&refresh_token=\(refresh)")
        #expect(refreshed.status == 200)
        let access = try #require(refreshed.json["access_token"]?.stringValue)
        let seen = try await api.send("POST", "/oauth2/introspect", form: "token=\(access)", basic: ("machine", api.secrets["machine"] ?? ""))
        #expect(seen.status == 200 && seen.json["active"]?.boolValue == true && seen.fields["cache-control"] == "no-store")
        let successor = try #require(refreshed.json["refresh_token"]?.stringValue)
        let revoked = try await api.send(
            "POST", "/oauth2/revoke", form: "token=\(successor)&token_type_hint=refresh_token", basic: ("rp-1", api.secrets["rp-1"] ?? ""))
        #expect(revoked.status == 200)
        let after = try await api.token("grant_type=refresh_token&refresh_token=\(successor)")
        #expect(after.status == 400 && after.json["error"]?.stringValue == "invalid_grant" && after.fields["cache-control"] == "no-store")
        let jwt = try await api.send("POST", "/oauth2/revoke", form: "token=\(access)", basic: ("rp-1", api.secrets["rp-1"] ?? ""))
        #expect(jwt.status == 400 && jwt.json["error"]?.stringValue == "unsupported_token_type")
    }

    @Test("ID-31: userinfo takes GET and POST, and says what is wrong with a token in WWW-Authenticate; OPTIONS is answered")
    func userInfo() async throws {
        let api = try await ProviderAPI.shared()
        let code = try await api.code()
        let access = try #require(try await api.token(Self.redeeming(code)).json["access_token"]?.stringValue)
        for method in ["GET", "POST"] {
            let answer = try await api.send(method, "/oauth2/userinfo", fields: ["Authorization": "Bearer \(access)"])
            #expect(answer.status == 200 && answer.json["sub"]?.stringValue == UserID(code.user).description)
            #expect(answer.json["email_verified"]?.boolValue == true && answer.fields["cache-control"] == "no-store")
        }
        let none = try await api.send("GET", "/oauth2/userinfo", fields: ["Origin": "https://app.example"])
        #expect(none.status == 401 && none.fields["www-authenticate"]?.hasPrefix("Bearer ") == true)
        #expect(none.fields["www-authenticate"]?.contains("error") == false)
        let bad = try await api.send("GET", "/oauth2/userinfo", fields: ["Authorization": "Bearer x", "Origin": "https://app.example"])
        #expect(bad.status == 401 && bad.fields["www-authenticate"]?.contains(#"error="invalid_token""#) == true)
        #expect(bad.fields["access-control-allow-origin"] == nil)
        let options = try await api.send("OPTIONS", "/oauth2/userinfo", fields: ["Origin": "https://app.example"])
        #expect(options.status == 204 && options.fields["allow"] == "GET, HEAD, OPTIONS, POST")
        let machine = try await api.token("grant_type=client_credentials", as: "machine").json["access_token"]?.stringValue ?? ""
        #expect(try await api.send("GET", "/oauth2/userinfo", fields: ["Authorization": "Bearer \(machine)"]).status == 401)
    }

    @Test("ID-24: a secret is taken as it is and with every letter percent-encoded; what can't be read is invalid_client, never 500")
    func basic() async throws {
        let api = try await ProviderAPI.shared()
        let secret = try #require(api.secrets["machine"])
        let form = "grant_type=client_credentials"
        #expect(try await api.send("POST", "/oauth2/token", form: form, basic: ("machine", secret)).status == 200)
        let encoded = (ProviderAPI.encoded("machine"), ProviderAPI.encoded(secret))
        #expect(try await api.send("POST", "/oauth2/token", form: form, basic: encoded).status == 200)
        #expect(try await api.send("POST", "/oauth2/token", form: "\(form)&client_id=machine&client_secret=\(secret)").status == 200)
        let zz = Data("machine:%zz".utf8).base64EncodedString()
        for header in ["Basic !!!!", "Basic \(zz)", "Basic", "Basic " + Data("machine".utf8).base64EncodedString(), "Bearer x", "Basic "] {
            let answer = try await api.send("POST", "/oauth2/token", form: form, fields: ["Authorization": header])
            #expect(answer.status == 401 && answer.json["error"]?.stringValue == "invalid_client", "\(header)")
            #expect(answer.fields["www-authenticate"]?.hasPrefix("Basic ") == true && answer.fields["cache-control"] == "no-store", "\(header)")
        }
        for wrong in [("machine", "x"), ("nobody", secret), ("machine", ""), ("rp-1", secret)] {
            #expect(try await api.send("POST", "/oauth2/token", form: form, basic: wrong).status == 401)
        }
        let twice = try await api.send("POST", "/oauth2/token", form: "\(form)&client_secret=\(secret)", basic: ("machine", secret))
        #expect(twice.status == 400 && twice.json["error"]?.stringValue == "invalid_request")
    }

    @Test("ID-27: a public client can't introspect", arguments: ["client_id=app&token=x", "token=x", "client_id=machine&token=x"])
    func publicIntrospection(form: String) async throws {
        let api = try await ProviderAPI.shared()
        let answer = try await api.send("POST", "/oauth2/introspect", form: form)
        #expect(answer.status == 401 && answer.json["error"]?.stringValue == "invalid_client")
    }

    @Test("a public client redeems its code by PKCE alone")
    func publicClient() async throws {
        let api = try await ProviderAPI.shared()
        let code = try await api.code(client: "app")
        let answer = try await api.send("POST", "/oauth2/token", form: Self.redeeming(code) + "&client_id=app")
        #expect(answer.status == 200)
        // Another client's code is no better with the right verifier.
        let foreign = try await api.code(client: "app")
        let refused = try await api.token(Self.redeeming(foreign))
        #expect(refused.status == 400 && refused.json["error"]?.stringValue == "invalid_grant")
    }

    @Test(
        "bad requests are the errors of RFC 6749: repeated parameters refused, unknown ignored, empty absent",
        arguments: [
            ("", 400, "invalid_request"), ("grant_type=", 400, "invalid_request"), ("grant_type=password", 400, "unsupported_grant_type"),
            ("grant_type=client_credentials", 400, "unauthorized_client"), ("grant_type=refresh_token", 400, "invalid_request"),
            ("grant_type=refresh_token&refresh_token=x", 400, "invalid_grant"), ("grant_type=authorization_code", 400, "invalid_request"),
            ("grant_type=authorization_code&code=x", 400, "invalid_grant"),
            ("grant_type=refresh_token&refresh_token=x&refresh_token=x", 400, "invalid_request"), ("%", 400, "invalid_request"),
            ("grant_type=refresh_token&refresh_token=x&foo=1&foo=2", 400, "invalid_request"),
            ("grant_type=authorization_code&code=%00", 400, "invalid_grant"),
        ])
    func badRequests(form: String, status: Int, error: String) async throws {
        let api = try await ProviderAPI.shared()
        let answer = try await api.token(form)
        #expect(answer.status == status && answer.json["error"]?.stringValue == error, "\(answer.text)")
        #expect(answer.fields["cache-control"] == "no-store" && answer.fields["content-type"] == "application/json")
        #expect(answer.json["error_description"]?.stringValue?.isEmpty == false)
    }

    @Test("a token request is a form by POST: anything else is refused by its status")
    func shape() async throws {
        let api = try await ProviderAPI.shared()
        #expect(try await api.send("GET", "/oauth2/token").status == 405)
        let json = try await api.send("POST", "/oauth2/token", fields: ["Content-Type": "application/json", "Content-Length": "0"])
        #expect(json.status == 415)
        let query = try await api.send(
            "POST", "/oauth2/token?grant_type=client_credentials", form: "", basic: ("machine", api.secrets["machine"] ?? ""))
        #expect(query.status == 400 && query.json["error"]?.stringValue == "invalid_request")
    }

    @Test("counters stand at 0 from the start, and tell refusals by their reason")
    func metrics() async throws {
        let api = try await ProviderAPI.shared()
        _ = try await api.token("grant_type=refresh_token&refresh_token=x")
        let text = api.metrics.render()
        for reason in TokenRefusal.allCases { #expect(text.contains("identity_tokens_refused_total{reason=\"\(reason.rawValue)\"}"), "\(reason)") }
        #expect(text.contains("identity_signing_keys_published 1"))
        #expect(!text.contains("identity_tokens_refused_total{reason=\"refresh_unknown\"} 0"))
    }

    @Test("no secret, code or token of a request reaches the log")
    func secrecy() async throws {
        let api = try await ProviderAPI.shared()
        let code = try await api.code()
        let issued = try await api.token(Self.redeeming(code))
        let refresh = try #require(issued.json["refresh_token"]?.stringValue)
        _ = try await api.token(Self.redeeming(code))
        _ = try await api.token("grant_type=refresh_token&refresh_token=\(refresh)")
        let log = api.log.text
        #expect(log.contains("invalid_grant"))
        for secret in [code.code, code.verifier, refresh, api.secrets["rp-1"] ?? "-", issued.json["access_token"]?.stringValue ?? "-"] {
            #expect(!log.contains(secret))
        }
    }
}
