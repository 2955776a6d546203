package import Postgres
import StrictJSON

/// As a sign-in flow keeps it.
extension AuthorizationRequest {
    package var json: PostgresJSON {
        var writer = JSONWriter(capacity: 512)
        writer.object { writer in
            writer.member("client_id", clientID)
            if let redirectURI { writer.member("redirect_uri", redirectURI) }
            list("scopes", scopes, &writer)
            if let state { writer.member("state", state) }
            if let nonce { writer.member("nonce", nonce) }
            writer.member("code_challenge", codeChallenge)
            list("prompt", prompt.map(\.rawValue).sorted(), &writer)
            if let maxAgeSeconds { writer.member("max_age", maxAgeSeconds) }
            list("acr_values", acrValues, &writer)
            if let loginHint { writer.member("login_hint", loginHint) }
            list("ui_locales", uiLocales, &writer)
            if let idTokenHint { writer.member("id_token_hint", idTokenHint) }
        }
        return PostgresJSON(String(decoding: writer.bytes, as: UTF8.self))
    }

    /// - Throws: ``UnreadableRow``.
    package init(json: PostgresJSON) throws {
        guard let value = try? JSONParser.parse(Array(json.text.utf8)), let clientID = value["client_id"]?.stringValue,
            let challenge = value["code_challenge"]?.stringValue, let scopes = Self.list(value["scopes"]),
            let prompt = Self.list(value["prompt"])?.map(Prompt.init(rawValue:)), !prompt.contains(nil), let acr = Self.list(value["acr_values"]),
            let locales = Self.list(value["ui_locales"])
        else { throw UnreadableRow(table: "sign_in_flows") }
        self.init(
            clientID: clientID, redirectURI: value["redirect_uri"]?.stringValue, scopes: scopes, state: value["state"]?.stringValue,
            nonce: value["nonce"]?.stringValue, codeChallenge: challenge, prompt: Set(prompt.compactMap(\.self)),
            maxAgeSeconds: value["max_age"]?.integerValue, acrValues: acr, loginHint: value["login_hint"]?.stringValue, uiLocales: locales,
            idTokenHint: value["id_token_hint"]?.stringValue)
    }

    private func list(_ name: StaticString, _ values: [String], _ writer: inout JSONWriter) {
        writer.name(name)
        writer.array { writer in
            for value in values { writer.string(value) }
        }
    }

    private static func list(_ value: JSONValue?) -> [String]? {
        value?.arrayValue.flatMap { items in
            let texts = items.compactMap(\.stringValue)
            return texts.count == items.count ? texts : nil
        }
    }
}
