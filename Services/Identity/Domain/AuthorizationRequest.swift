import Contracts

/// A checked request for a code: what a sign-in flow carries until the person has decided.
package struct AuthorizationRequest: Sendable, Hashable {
    package enum Prompt: String, Sendable, Hashable, CaseIterable {
        case none, login, consent
        case selectAccount = "select_account"
    }

    package let clientID: String
    /// nil when a first-party app asks itself (authorize-challenge), where nothing is redirected.
    package let redirectURI: String?
    package let scopes: [String]
    package let state: String?
    package let nonce: String?
    package let codeChallenge: String
    package let prompt: Set<Prompt>
    /// The most seconds since the person was authenticated; 0 asks for it now.
    package let maxAgeSeconds: Int64?
    /// The preferred one first.
    package let acrValues: [String]
    package let loginHint: String?
    package let uiLocales: [String]
    package let idTokenHint: String?

    package init(
        clientID: String, redirectURI: String?, scopes: [String], state: String? = nil, nonce: String? = nil, codeChallenge: String,
        prompt: Set<Prompt> = [], maxAgeSeconds: Int64? = nil, acrValues: [String] = [], loginHint: String? = nil, uiLocales: [String] = [],
        idTokenHint: String? = nil
    ) {
        self.clientID = clientID
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.state = state
        self.nonce = nonce
        self.codeChallenge = codeChallenge
        self.prompt = prompt
        self.maxAgeSeconds = maxAgeSeconds
        self.acrValues = acrValues
        self.loginHint = loginHint
        self.uiLocales = uiLocales
        self.idTokenHint = idTokenHint
    }

    /// Where its answer goes; nil for a first-party app's own.
    package var answerAddress: AnswerAddress? { redirectURI.map { AnswerAddress(redirectURI: $0, state: state) } }
}

extension AuthorizationRequest {
    private static let maximumState = 2_048
    private static let maximumNonce = 512
    private static let maximumHint = 320
    private static let maximumTokenHint = 8_192
    private static let maximumAge: Int64 = 1_000_000_000
    private static let listed = 10
    /// Whose repetition leaves no address to answer to.
    private static let addressing = ["client_id", "redirect_uri"]
    private static let known = [
        "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values",
        "login_hint", "ui_locales", "id_token_hint", "request", "request_uri", "registration",
    ]

    /// The client that a request names.
    ///
    /// - Throws: ``AuthorizationFault/page(_:)``.
    package static func clientID(in parameters: OAuthParameters) throws(AuthorizationFault) -> String {
        guard !addressing.contains(where: parameters.isRepeated) else { throw .page(.parameterRepeated) }
        guard let id = parameters["client_id"] else { throw .page(.clientMissing) }
        return id
    }

    /// Reads a browser's request. Client and redirect URI come first: until both are good, nothing is sent anywhere.
    ///
    /// - Parameter client: That of ``clientID(in:)``; nil when there is none, or it is disabled.
    package init(_ parameters: OAuthParameters, client: OAuthClient?) throws(AuthorizationFault) {
        _ = try Self.clientID(in: parameters)
        guard let client, client.disabledAt == nil else { throw .page(.clientUnknown) }
        guard let redirectURI = parameters["redirect_uri"] else { throw .page(.redirectURIMissing) }
        guard RedirectURI.isRegistered(redirectURI, among: client.redirectURIs) else { throw .page(.redirectURIUnknown) }
        let state = parameters.isRepeated("state") ? nil : parameters["state"]
        do throws(AuthorizationError) {
            try self.init(parameters, of: client, redirectURI: redirectURI)
        } catch {
            let isEchoed = (state?.utf8.count ?? 0) <= Self.maximumState
            throw .redirect(error, to: AnswerAddress(redirectURI: redirectURI, state: isEchoed ? state : nil))
        }
    }

    /// Reads the request of a first-party app, which is answered directly.
    package init(challenge parameters: OAuthParameters, client: OAuthClient) throws(AuthorizationError) {
        guard !Self.addressing.contains(where: parameters.isRepeated) else {
            throw AuthorizationError(.invalidRequest, "A parameter is given more than once.")
        }
        guard client.isFirstParty else { throw AuthorizationError(.unauthorizedClient, "The client is not a first-party app.") }
        try self.init(parameters, of: client, redirectURI: nil)
    }

    private init(_ parameters: OAuthParameters, of client: OAuthClient, redirectURI: String?) throws(AuthorizationError) {
        if let name = Self.known.first(where: parameters.isRepeated) {
            throw AuthorizationError(.invalidRequest, "The parameter \(name) is given more than once.")
        }
        try Self.checkType(parameters, client)
        guard let challenge = parameters["code_challenge"], ProofKey.isChallenge(challenge), parameters["code_challenge_method"] == "S256" else {
            throw AuthorizationError(.invalidRequest, "A code_challenge with code_challenge_method S256 is required.")
        }
        let prompt = try Self.prompt(parameters["prompt"])
        self.init(
            clientID: client.id, redirectURI: redirectURI, scopes: try Self.scopes(parameters["scope"], client),
            state: try Self.bounded(parameters, "state", Self.maximumState), nonce: try Self.bounded(parameters, "nonce", Self.maximumNonce),
            codeChallenge: challenge, prompt: prompt, maxAgeSeconds: try Self.maxAge(parameters["max_age"]),
            acrValues: Self.list(parameters["acr_values"]), loginHint: Self.hint(parameters["login_hint"], Self.maximumHint),
            uiLocales: Self.list(parameters["ui_locales"]), idTokenHint: Self.hint(parameters["id_token_hint"], Self.maximumTokenHint))
    }

    private static func checkType(_ parameters: OAuthParameters, _ client: OAuthClient) throws(AuthorizationError) {
        if parameters["request"] != nil { throw AuthorizationError(.requestNotSupported, "Request objects are not supported.") }
        if parameters["request_uri"] != nil { throw AuthorizationError(.requestURINotSupported, "Request objects are not supported.") }
        if parameters["registration"] != nil { throw AuthorizationError(.registrationNotSupported, "Self-issued registration is not supported.") }
        guard let type = parameters["response_type"] else { throw AuthorizationError(.invalidRequest, "The response_type is missing.") }
        guard type == "code" else { throw AuthorizationError(.unsupportedResponseType, "The only response_type is code.") }
        guard parameters["response_mode"] ?? "query" == "query" else {
            throw AuthorizationError(.invalidRequest, "The only response_mode is query.")
        }
        guard client.grants.contains(.authorizationCode) else {
            throw AuthorizationError(.unauthorizedClient, "The client is not registered for authorization codes.")
        }
    }

    private static func scopes(_ text: String?, _ client: OAuthClient) throws(AuthorizationError) -> [String] {
        guard let text else { throw AuthorizationError(.invalidScope, "A scope is required.") }
        do throws(ScopeRules.Fault) {
            return try ScopeRules.ofPerson(text, for: client)
        } catch {
            switch error {
            case .malformed: throw AuthorizationError(.invalidScope, "The scope is malformed.")
            case .none: throw AuthorizationError(.invalidScope, "The client is registered for none of the scopes.")
            case .mixed: throw AuthorizationError(.invalidScope, "The scopes of customers and of staff are not given together.")
            }
        }
    }

    private static func prompt(_ text: String?) throws(AuthorizationError) -> Set<Prompt> {
        guard let text else { return [] }
        var prompts: Set<Prompt> = []
        for word in text.split(separator: " ") {
            guard let prompt = Prompt(rawValue: String(word)) else { throw AuthorizationError(.invalidRequest, "The prompt has an unknown value.") }
            prompts.insert(prompt)
        }
        guard !prompts.contains(.none) || prompts.count == 1 else {
            throw AuthorizationError(.invalidRequest, "The prompt none stands with another one.")
        }
        return prompts
    }

    /// Zero is a value: sign in now.
    private static func maxAge(_ text: String?) throws(AuthorizationError) -> Int64? {
        guard let text else { return nil }
        guard let seconds = DecimalDigits.number(text, as: Int64.self), seconds <= maximumAge else {
            throw AuthorizationError(.invalidRequest, "The max_age is not a whole number of seconds.")
        }
        return seconds
    }

    private static func bounded(_ parameters: OAuthParameters, _ name: String, _ limit: Int) throws(AuthorizationError) -> String? {
        guard let text = parameters[name] else { return nil }
        guard text.utf8.count <= limit else { throw AuthorizationError(.invalidRequest, "The \(name) is longer than \(limit) bytes.") }
        // Postgres keeps no NUL.
        guard !text.utf8.contains(0) else { throw AuthorizationError(.invalidRequest, "The \(name) holds a NUL.") }
        return text
    }

    /// A hint that can't be used is none.
    private static func hint(_ text: String?, _ limit: Int) -> String? {
        text.flatMap { $0.utf8.count <= limit && !$0.utf8.contains(0) ? $0 : nil }
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: " ").prefix(listed).map(String.init).filter { $0.utf8.count <= 255 && !$0.utf8.contains(0) }
    }
}
