import Contracts
import Testing

@testable import Identity

@Suite("Authorization requests")
struct AuthorizationRequestTests {
    private static let challenge = String(repeating: "c", count: 43)
    private static let good = [
        "response_type": "code", "client_id": "rp-1", "redirect_uri": ProviderFixture.redirectURI, "scope": "openid", "state": "s1",
        "code_challenge": challenge, "code_challenge_method": "S256",
    ]

    private static func parameters(_ changes: [String: String?] = [:], again: [(String, String)] = []) -> OAuthParameters {
        var fields = good
        for (name, value) in changes { fields[name] = value }
        return OAuthParameters(fields.map { (name: $0.key, value: $0.value) } + again.map { (name: $0.0, value: $0.1) })
    }

    private static func read(
        _ changes: [String: String?] = [:], again: [(String, String)] = [], client: OAuthClient? = ProviderFixture.client()
    ) throws(AuthorizationFault) -> AuthorizationRequest {
        try AuthorizationRequest(parameters(changes, again: again), client: client)
    }

    private static func fault(
        _ changes: [String: String?] = [:], again: [(String, String)] = [], client: OAuthClient? = ProviderFixture.client()
    ) -> AuthorizationFault? {
        do throws(AuthorizationFault) {
            _ = try read(changes, again: again, client: client)
            return nil
        } catch { return error }
    }

    /// The error that is redirected, and whether it carries the client's state.
    private static func redirected(_ fault: AuthorizationFault?) -> AuthorizationError.Code? {
        guard case .redirect(let error, let address) = fault, address.redirectURI == ProviderFixture.redirectURI, address.state == "s1" else {
            return nil
        }
        return error.code
    }

    @Test("a good request is read")
    func good() throws {
        let request = try Self.read([
            "scope": "openid wallet unknown:thing", "nonce": "n", "max_age": "0", "prompt": "login consent", "acr_values": "a b", "login_hint": "h",
            "ui_locales": "de en", "id_token_hint": "t",
        ])
        #expect(
            request
                == AuthorizationRequest(
                    clientID: "rp-1", redirectURI: ProviderFixture.redirectURI, scopes: ["openid", "wallet"], state: "s1", nonce: "n",
                    codeChallenge: Self.challenge, prompt: [.login, .consent], maxAgeSeconds: 0, acrValues: ["a", "b"], loginHint: "h",
                    uiLocales: ["de", "en"], idTokenHint: "t"))
        #expect(try AuthorizationRequest(json: request.json) == request)
        let bare = try Self.read(["state": nil])
        #expect(try AuthorizationRequest(json: bare.json) == bare)
    }

    @Test(
        "ID-17: a challenge without the method S256, or that is no SHA-256, is invalid_request by redirect",
        arguments: [
            ["code_challenge_method": nil], ["code_challenge_method": "plain"], ["code_challenge_method": "s256"], ["code_challenge": nil],
            ["code_challenge": String(repeating: "c", count: 42)], ["code_challenge": String(repeating: "c", count: 44)],
            ["code_challenge": String(repeating: "c", count: 42) + "="], ["code_challenge": String(repeating: "c", count: 42) + "+"],
        ] as [[String: String?]])
    func challenge(changes: [String: String?]) {
        #expect(Self.redirected(Self.fault(changes)) == .invalidRequest)
    }

    @Test("ID-17: a verifier has 43 to 128 characters of the unreserved set")
    func verifier() {
        #expect(ProofKey.isVerifier(String(repeating: "a", count: 43)) && ProofKey.isVerifier(String(repeating: "~", count: 128)))
        #expect(!ProofKey.isVerifier(String(repeating: "a", count: 42)) && !ProofKey.isVerifier(String(repeating: "a", count: 129)))
        #expect(!ProofKey.isVerifier(String(repeating: "a", count: 43) + "+") && !ProofKey.isVerifier(String(repeating: "é", count: 43)))
    }

    @Test(
        "ID-18: a redirect URI that is not registered to the byte is a page, and nothing is redirected",
        arguments: [
            "https://rp.example/cb/", "https://rp.example/cb%2F..", "https://rp.example@evil/cb", "https://a@b@rp.example/cb",
            "HTTPS://rp.example/cb",
            "https://rp.example/cb?x=1", "https://rp.example/cb#f", "https://rp.example/CB", "https://rp.example:443/cb", "https://rp.example/./cb",
            " https://rp.example/cb", "https://rp.example/c\u{301}b", "http://rp.example/cb",
        ])
    func redirect(uri: String) {
        #expect(Self.fault(["redirect_uri": uri]) == .page(.redirectURIUnknown))
    }

    @Test("ID-18: the port of a loopback address is the app's to choose, and nothing else of it")
    func loopback() {
        let registered = ["http://127.0.0.1/cb", "http://[::1]:1/cb"]
        for good in ["http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", "http://[::1]:65535/cb", "http://[::1]/cb"] {
            #expect(RedirectURI.isRegistered(good, among: registered), "\(good)")
        }
        let others = [
            "http://127.0.0.1:99999/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:80@evil/cb", "http://127.0.0.1.evil/cb",
            "http://127.0.0.1:5000/cb/",
            "https://127.0.0.1/cb", "http://localhost/cb", "http://127.0.0.1:5000", "http://127.0.0.1:+80/cb",
        ]
        for bad in others { #expect(!RedirectURI.isRegistered(bad, among: registered), "\(bad)") }
    }

    @Test(
        "ID-18: what reads in two ways can't be registered",
        arguments: [
            ("https://rp.example/cb#f", RedirectURIFault.fragment), ("https://*.rp.example/cb", .wildcard),
            ("https://u@rp.example/cb", .userInformation),
            ("/cb", .scheme), ("http://rp.example/cb", .scheme), ("javascript:alert(1)", .scheme), ("myapp:/cb", .scheme), ("https:///cb", .noHost),
            ("https://rp.example\\@evil/cb", .ambiguous), ("https://RP.example/cb", .ambiguous), ("https://rp.example;evil/cb", .ambiguous),
            ("https://%72p.example/cb", .ambiguous), ("https://rp.example:/cb", .ambiguous), ("https://rp.example:80:80/cb", .ambiguous),
            ("https://rp.example/ü", .notPlainASCII),
            ("https://rp.example/a/../b", .ambiguous), ("https://rp.example/a/%2E%2e", .ambiguous), ("com.example.app:/./cb", .ambiguous),
            ("https://rp.example/cb?code=x", .answerParameter), ("http://127.0.0.1/cb?a=1&state", .answerParameter),
            ("", .notPlainASCII),
            ("http://localhost:80/cb", .scheme), ("com.example.app:cb", .scheme), ("com.example@x:/cb", .scheme),
        ])
    func registration(uri: String, fault: RedirectURIFault) {
        #expect(throws: fault) { try RedirectURI.check(uri) }
    }

    @Test(
        "ID-18: these can be registered",
        arguments: ["https://rp.example/cb", "https://rp.example:8443/cb?a=b", "http://127.0.0.1:8080/cb", "http://[::1]/cb", "com.example.app:/cb"])
    func registered(uri: String) {
        #expect(throws: Never.self) { try RedirectURI.check(uri) }
    }

    @Test("ID-19: state comes back as it went, encoded once, in an answer and in an error, with iss")
    func state() throws {
        let state = "a+b==&c d%✓"
        let address = AnswerAddress(redirectURI: "https://rp.example/cb?a=b", state: state)
        for location in [
            address.location(code: "x", issuer: "https://id.example"),
            address.location(AuthorizationError(.accessDenied, "No."), issuer: "https://id.example"),
        ] {
            #expect(location.hasPrefix("https://rp.example/cb?a=b&"))
            #expect(location.contains("&state=a%2Bb%3D%3D%26c%20d%25%E2%9C%93&"))
            #expect(location.hasSuffix("&iss=https%3A%2F%2Fid.example"))
        }
        #expect(
            AnswerAddress(redirectURI: "https://rp.example/cb", state: nil).location(code: "x", issuer: "i") == "https://rp.example/cb?code=x&iss=i")
        // Through the flow's row and back.
        let request = try Self.read(["state": state])
        #expect(try AuthorizationRequest(json: request.json).state == state)
    }

    @Test("ID-20: a repeated parameter is refused, one that is unknown ignored, one without a value absent")
    func repeated() throws {
        #expect(Self.redirected(Self.fault(again: [("scope", "openid")])) == .invalidRequest)
        #expect(Self.fault(again: [("client_id", "c2")]) == .page(.parameterRepeated))
        #expect(Self.fault(again: [("redirect_uri", "https://evil.example")]) == .page(.parameterRepeated))
        guard case .redirect(let error, let address) = Self.fault(again: [("state", "s2")]) else {
            Issue.record("not redirected")
            return
        }
        #expect(error.code == .invalidRequest && address.state == nil)
        #expect(try Self.read(["foo": "bar"], again: [("foo", "baz")]).nonce == nil)
        #expect(try Self.read(["nonce": ""]).nonce == nil)
        #expect(Self.redirected(Self.fault(["scope": ""])) == .invalidScope)
    }

    @Test(
        "ID-21: max_age is a whole number of seconds, and zero is one",
        arguments: ["-1", "1.5", "abc", "+1", "01", "99999999999999999999", "1e3"])
    func maxAge(text: String) throws {
        #expect(Self.redirected(Self.fault(["max_age": text])) == .invalidRequest)
        #expect(try Self.read(["max_age": "0"]).maxAgeSeconds == 0)
    }

    @Test("ID-22: prompt none stands alone, and an unknown prompt is refused", arguments: ["none login", "nothing", "login,consent"])
    func prompt(text: String) throws {
        #expect(Self.redirected(Self.fault(["prompt": text])) == .invalidRequest)
        #expect(try Self.read(["prompt": "none"]).prompt == [.none])
    }

    @Test("ID-22: client and redirect URI are judged before everything else")
    func order() {
        #expect(Self.fault(["prompt": "none", "redirect_uri": "https://evil.example"]) == .page(.redirectURIUnknown))
        #expect(Self.fault(["redirect_uri": nil]) == .page(.redirectURIMissing))
        #expect(Self.fault(["client_id": nil]) == .page(.clientMissing))
        #expect(Self.fault(client: nil) == .page(.clientUnknown))
    }

    @Test(
        "what else is not done is said by its name",
        arguments: [
            (["response_type": "token"], AuthorizationError.Code.unsupportedResponseType), (["response_type": nil], .invalidRequest),
            (["response_mode": "fragment"], .invalidRequest), (["request": "x"], .requestNotSupported),
            (["request_uri": "x"], .requestURINotSupported),
            (["scope": "nothing"], .invalidScope), (["scope": "a  b"], .invalidScope), (["scope": nil], .invalidScope),
            (["nonce": String(repeating: "n", count: 513)], .invalidRequest), (["nonce": "a\0"], .invalidRequest),
        ] as [([String: String?], AuthorizationError.Code)])
    func unsupported(changes: [String: String?], code: AuthorizationError.Code) {
        #expect(Self.redirected(Self.fault(changes)) == code)
    }

    @Test("a first-party app's request has no redirect URI and needs PKCE too; another client can't ask so")
    func challengeDoor() throws {
        let app = ProviderFixture.client("app", isConfidential: false, isFirstParty: true)
        let request = try AuthorizationRequest(challenge: Self.parameters(), client: app)
        #expect(request.redirectURI == nil && request.clientID == "app")
        #expect(throws: AuthorizationError.self) {
            try AuthorizationRequest(challenge: Self.parameters(["code_challenge": nil]), client: app)
        }
        #expect { try AuthorizationRequest(challenge: Self.parameters(), client: ProviderFixture.client()) } throws: {
            ($0 as? AuthorizationError)?.code == .unauthorizedClient
        }
    }

    @Test("customers' and staff's scopes are never given together, and each only to who has the role")
    func scopes() throws {
        let client = ProviderFixture.client(scopes: ["openid", "wallet", "ledger:operate", "ledger:read"])
        #expect(throws: ScopeRules.Fault.mixed) { try ScopeRules.ofPerson("wallet ledger:operate", for: client) }
        #expect(try ScopeRules.ofPerson("openid ledger:operate ledger:read", for: client) == ["openid", "ledger:operate"])
        #expect(throws: ScopeRules.Fault.none) { try ScopeRules.ofPerson("ledger:read", for: client) }
        #expect(try ScopeRules.granted(["openid", "ledger:operate"], to: ["support"]) == ["openid", "ledger:operate"])
        #expect(throws: ScopeRules.Fault.none) { try ScopeRules.granted(["openid", "ledger:operate"], to: ["customer"]) }
        #expect(throws: ScopeRules.Fault.none) { try ScopeRules.granted(["openid", "wallet"], to: ["support"]) }
        #expect(try ScopeRules.granted(["openid"], to: []) == ["openid"])
        #expect(ScopeRules.ofAccessToken(["openid", "ledger:operate"]) == ["ledger:operate"])
        #expect(try ScopeRules.ofMachine(nil, for: client) == ["ledger:read"])
        #expect(throws: ScopeRules.Fault.none) { try ScopeRules.ofMachine("ledger:operate", for: client) }
    }
}
