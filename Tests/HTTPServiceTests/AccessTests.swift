import Contracts
import Foundation
import HTTPService
import HTTPTypes
import NIOCore
import Observability
import StrictJSON
import Testing

/// Each kind of access, as callers meet it: who is let in, who is not, and by which challenge they find out what is missing.
@Suite("Access of endpoints")
struct AccessTests {
    @Test("a public route answers everybody")
    func everybody() async throws {
        let answer = try await ToyService.shared().send(ToyCall("GET", "/public"))
        #expect(answer.status == 200 && answer.text == "hello" && answer.values("content-type") == ["application/json"])
        #expect(answer.values("x-request-id").count == 1 && answer.challenges.isEmpty)
    }

    // MARK: clients

    static let basic = "Basic " + Data("shop%3A1:s+e%2Bc%25ret".utf8).base64EncodedString()
    static let shouted = basic.replacing("Basic", with: "bASIC")

    @Test(
        "a client authenticates by Basic, by the form, or by its name alone where it has no secret",
        arguments: [
            (basic, "", "shop:1"), (shouted, "&client_id=shop%3A1", "shop:1"),
            (nil, "&client_id=shop%3A1&client_secret=s+e%2Bc%25ret", "shop:1"), (nil, "&client_id=app", "app"),
            (nil, "&client_id=app&client_secret=", "app"),
        ] as [(String?, String, String)])
    func clients(authorization: String?, form: String, name: String) async throws {
        let fields = authorization.map { [("authorization", $0)] } ?? []
        let answer = try await ToyService.shared().send(.form("/token", "grant_type=client_credentials&unknown=1\(form)", fields))
        #expect(answer.status == 200 && answer.text == "client_credentials for \(name)", "\(answer)")
        #expect(answer.values("cache-control") == ["no-store"])
    }

    @Test(
        "a client that is unknown, wrong or silent is invalid, and one with two ways is malformed",
        arguments: [
            (nil, "", 401), (nil, "&client_id=shop%3A1", 401), (nil, "&client_id=shop%3A1&client_secret=x", 401),
            (nil, "&client_id=nobody&client_secret=x", 401), ("Basic ???", "", 401), ("Basic " + Data("shop".utf8).base64EncodedString(), "", 401),
            ("Basic " + Data("shop%3A1:wrong".utf8).base64EncodedString(), "", 401), ("Bearer abc", "", 401),
            (basic, "&client_secret=s+e%2Bc%25ret", 400), (basic, "&client_id=app", 400),
        ] as [(String?, String, Int)])
    func strangers(authorization: String?, form: String, status: Int) async throws {
        let fields = authorization.map { [("authorization", $0)] } ?? []
        let answer = try await ToyService.shared().send(.form("/token", "grant_type=client_credentials\(form)", fields))
        #expect(answer.status == status, "\(answer)")
        // As OAuth spells it, not as a problem.
        #expect(answer.json["error"]?.stringValue == (status == 401 ? "invalid_client" : "invalid_request"), "\(answer)")
        #expect(answer.challenges == (status == 401 ? [#"Basic realm="florin", charset="UTF-8""#] : []))
    }

    @Test("where there is no form, Basic is left")
    func clientWithoutForm() async throws {
        let toy = try await ToyService.shared()
        #expect(try await toy.send(ToyCall("GET", "/client", [("authorization", Self.basic)])).text == "shop:1")
        let answer = try await toy.send(ToyCall("GET", "/client"))
        #expect(answer.status == 401 && answer.code == "client_invalid" && answer.challenges.count == 1)
    }

    // MARK: services

    @Test("a signed route needs a signature, by a service that it is open to, over the body as it came")
    func services() async throws {
        let toy = try await ToyService.shared()
        let call = ToyCall.json("POST", "/users", #"{"text":"new"}"#, by: "api-gateway")
        let answer = try await toy.send(call)
        #expect(answer.status == 201 && answer.text == "new by api-gateway", "\(answer)")

        var unsigned = call
        unsigned.caller = nil
        var uninvited = call
        uninvited.caller = "mobile-bff"
        var forged = call
        forged.forgedBody = #"{"text":"old"}"#
        for (call, status, code) in [
            (unsigned, 401, "signature_missing"), (uninvited, 403, "caller_not_allowed"), (forged, 401, "digest_mismatch"),
        ] {
            let answer = try await toy.send(call)
            #expect(answer.status == status && answer.code == code, "\(answer)")
            #expect(answer.challenges == (status == 401 ? [#"Signature realm="florin-internal-1""#] : []), "nothing to fetch a token for")
        }
    }

    @Test("a route with tokens needs both, and says which one is missing")
    func tokens() async throws {
        let toy = try await ToyService.shared()
        let good = try await toy.token()
        let answer = try await toy.send(ToyCall("GET", "/me", [("authorization", "Bearer \(good)")], by: "mobile-bff"))
        #expect(answer.status == 200 && answer.text == "user:\(ToyService.userID) by mobile-bff", "\(answer)")

        let expired = try await toy.token(now: ToyService.now - 10_000)
        let other = try await toy.token(scopes: ["other"])
        let rows: [(String?, String?, Int, String, String?)] = [
            (good, nil, 401, "signature_missing", #"Signature realm="florin-internal-1""#),
            (good, "ops-risk", 403, "caller_not_allowed", nil),
            (nil, "mobile-bff", 401, "token_missing", #"Bearer realm="florin""#),
            (
                "nonsense", "mobile-bff", 401, "token_invalid",
                #"Bearer realm="florin", error="invalid_token", error_description="\#(ProblemCode.tokenInvalid.title)""#
            ),
            (
                expired, "mobile-bff", 401, "token_expired",
                #"Bearer realm="florin", error="invalid_token", error_description="\#(ProblemCode.tokenExpired.title)""#
            ),
            (other, "mobile-bff", 403, "insufficient_scope", #"Bearer realm="florin", error="insufficient_scope""#),
        ]
        for (token, caller, status, code, challenge) in rows {
            let answer = try await toy.send(ToyCall("GET", "/me", token.map { [("authorization", "Bearer \($0)")] } ?? [], by: caller))
            #expect(answer.status == status && answer.code == code && answer.challenges == [challenge].compactMap(\.self), "\(answer)")
        }
    }

    @Test("a sign-in that is too weak or too long ago is asked for again (RFC 9470)")
    func stepUp() async throws {
        let toy = try await ToyService.shared()
        let (mfa, now) = ("urn:florin:acr:mfa", ToyService.now)
        let rows: [(String?, Int64?, Bool)] = [
            (mfa, now - 10, true), (nil, nil, false), ("urn:florin:acr:password", now - 10, false), (mfa, now - 400, false), (mfa, nil, false),
        ]
        for (context, time, isEnough) in rows {
            let token = try await toy.token(authenticationContext: context, authenticatedAt: time)
            let call = ToyCall.json("POST", "/me/password", "{}", [("authorization", "Bearer \(token)")], by: "mobile-bff")
            let answer = try await toy.send(call)
            #expect(answer.status == (isEnough ? 204 : 401), "\(answer)")
            guard !isEnough else { continue }
            #expect(answer.code == "insufficient_user_authentication")
            let challenge = #"error="insufficient_user_authentication", acr_values="urn:florin:acr:mfa", max_age="300""#
            #expect(answer.challenges == [#"Bearer realm="florin", "# + challenge])
        }
    }

    @Test("a handler can ask for a stronger sign-in when it sees what is at stake")
    func stepUpOfAHandler() async throws {
        let toy = try await ToyService.shared()
        let token = try await toy.token()
        let answer = try await toy.send(.json("POST", "/me/risky", "{}", [("authorization", "Bearer \(token)")], by: "mobile-bff"))
        #expect(answer.status == 401 && answer.code == "insufficient_user_authentication")
        #expect(answer.challenges == [#"Bearer realm="florin", error="insufficient_user_authentication", acr_values="urn:florin:acr:mfa""#])
    }

    @Test("a key is kept or refused: nobody may believe that a request can be repeated which would be done twice")
    func keys() async throws {
        let toy = try await ToyService.shared()
        let fields = [("authorization", "Bearer \(try await toy.token())"), ("idempotency-key", "k-1")]
        let kept = try await toy.send(.json("POST", "/me/keyed", #"{"text":"a"}"#, fields, by: "mobile-bff"))
        #expect(kept.status == 201 && kept.text == "k-1", "\(kept)")
        for (target, caller) in [("/me/notes", "mobile-bff"), ("/users", "api-gateway")] {
            let answer = try await toy.send(.json("POST", target, #"{"text":"a"}"#, fields, by: caller))
            #expect(answer.status == 400 && answer.code == "malformed_request", "\(target): \(answer)")
        }
        #expect(try await toy.send(ToyCall("GET", "/me", fields, by: "mobile-bff")).status == 200)
    }

    // MARK: browsers

    @Test("a form that needs no session yet is taken from the service's own pages only (login CSRF)")
    func signInCrossSite() async throws {
        let toy = try await ToyService.shared()
        #expect(try await toy.send(.form("/sign-in", "name=anna", [("origin", ToyRoutes.origin)])).status == 303)
        for fields in [[], [("origin", "https://evil.example")], [("origin", ToyRoutes.origin), ("sec-fetch-site", "cross-site")]] {
            let answer = try await toy.send(.form("/sign-in", "name=anna", fields))
            #expect(answer.status == 403 && answer.code == "cross_site_request", "\(answer)")
        }
    }

    @Test("neither a form nor a request shows what it holds")
    func secrecy() throws {
        var random = SystemRandomNumberGenerator()
        let form = try Form("password=hunter2&name=anna".utf8)
        let request = EndpointRequest(
            identity: Anybody(), requestID: RequestID(using: &random), trace: TraceContext(isSampled: false, using: &random),
            headers: [.authorization: "Bearer hunter2", .cookie: "hunter2"], body: ByteBuffer(string: "hunter2"), deadline: .now)
        var texts = ["\(form)", String(reflecting: form), "\(request)", String(reflecting: request), "", ""]
        dump(form, to: &texts[4])
        dump(request, to: &texts[5])
        #expect(texts.allSatisfy { !$0.contains("hunter2") }, "\(texts)")
    }

    @Test("a page needs a session that is open, and sends everybody else to the sign-in")
    func sessions() async throws {
        let toy = try await ToyService.shared()
        let page = try await toy.send(ToyCall("GET", "/pages/alerts", [("cookie", "theme=dark; __Host-session=open")]))
        #expect(page.status == 200 && page.body == "<p>anna</p>" && page.values("content-type") == ["text/html; charset=utf-8"])
        for cookie in ["__Host-session=ended", "__Host-session=", "theme=dark", "x__Host-session=open"] {
            let answer = try await toy.send(ToyCall("GET", "/pages/alerts", [("cookie", cookie)]))
            #expect(answer.status == 303 && answer.values("location") == ["/sign-in"] && answer.challenges.isEmpty, "\(cookie): \(answer)")
        }
        let twice = try await toy.send(ToyCall("GET", "/pages/alerts", [("cookie", "__Host-session=open"), ("cookie", "__Host-session=x")]))
        #expect(twice.status == 400)
        let plain = try await toy.send(ToyCall("DELETE", "/pages/session", [("origin", ToyRoutes.origin)]))
        #expect(plain.status == 401 && plain.code == "session_missing" && plain.challenges == [#"Cookie realm="florin""#])
    }

    @Test(
        "what changes something comes from the service's own pages",
        arguments: [
            ([("origin", ToyRoutes.origin)], 303), ([("origin", ToyRoutes.origin), ("sec-fetch-site", "same-origin")], 303), ([], 403),
            ([("origin", "https://evil.example")], 403), ([("origin", "null")], 403), ([("origin", "http://staff.example")], 403),
            ([("origin", "https://staff.example.evil.example")], 403), ([("origin", ToyRoutes.origin), ("sec-fetch-site", "cross-site")], 403),
            ([("origin", ToyRoutes.origin), ("sec-fetch-site", "same-site")], 403),
            ([("origin", ToyRoutes.origin), ("origin", "https://evil.example")], 403), ([("referer", "https://staff.example/pages")], 403),
        ] as [([(String, String)], Int)])
    func crossSite(fields: [(String, String)], status: Int) async throws {
        let call = ToyCall.form("/pages/alerts/7", "resolution=fraud", [("cookie", "__Host-session=open")] + fields)
        let answer = try await ToyService.shared().send(call)
        #expect(answer.status == status, "\(answer)")
        if status == 403 { #expect(answer.body == "<p>\(ProblemCode.crossSiteRequest.title)</p>") }
    }
}
