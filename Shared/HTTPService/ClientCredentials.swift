import Contracts
import FoundationEssentials
import HTTPTypes

/// What a client says to authenticate itself (RFC 6749, section 2.3.1).
package struct ClientCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    package let id: String
    /// Nil for a client that only names itself, as one does that can't keep a secret.
    package let secret: String?

    package init(id: String, secret: String?) {
        self.id = id
        self.secret = secret
    }

    /// Without the secret, which may reach no log.
    package var description: String { "client \(id)" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }

    /// - Parameter form: The body, where it is a form.
    /// - Throws: ``Problem`` `malformed_request` for more than one way at once, `client_invalid` for none.
    init(_ headers: HTTPFields, _ form: Form?) throws(Problem) {
        let (formID, formSecret) = (form?["client_id"], form?["client_secret"])
        let fields = headers[values: .authorization]
        guard fields.count <= 1 else { throw Problem(.malformedRequest, detail: "Authorization is given more than once.") }
        guard let field = fields.first else {
            guard let formID else { throw Problem(.clientInvalid) }
            self.init(id: formID, secret: formSecret)
            return
        }
        guard formSecret == nil else { throw Problem(.malformedRequest, detail: "The client authenticates itself in more than one way.") }
        guard let basic = Self.basic(field) else { throw Problem(.clientInvalid) }
        guard formID == nil || formID == basic.id else { throw Problem(.malformedRequest, detail: "The form names another client.") }
        self = basic
    }

    /// RFC 7617, with id and secret form-encoded first, as RFC 6749 wants it.
    private static func basic(_ field: String) -> ClientCredentials? {
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let data = Data(base64Encoded: String(parts[1])),
            let pair = String(validating: data, as: UTF8.self), let colon = pair.firstIndex(of: ":"),
            let id = Form.decoded(pair[..<colon]), !id.isEmpty, let secret = Form.decoded(pair[pair.index(after: colon)...])
        else { return nil }
        return ClientCredentials(id: id, secret: secret)
    }
}
