import Contracts
import HTTPTypes
import RequestSigning

/// The fields that tell a client what to do about a refusal.
enum RefusalFields {
    /// Names what the challenges are about; there is one for the fleet.
    private static let realm = #"realm="florin""#

    /// - Parameters:
    ///   - error: What was thrown.
    ///   - mediaType: The one that the endpoint takes.
    static func of(_ problem: Problem, _ error: any Error, mediaType: String?) -> [HTTPField] {
        if problem.code == .unsupportedMediaType {
            // RFC 9110, section 15.5.16.
            return [HTTPField(name: .accept, value: mediaType ?? "*/*"), HTTPField(name: .acceptEncoding, value: "identity")]
        }
        return challenge(problem.code, error).map { [HTTPField(name: .wwwAuthenticate, value: $0)] } ?? []
    }

    /// A challenge that fits the failure (RFC 9110, section 11.6.1), so that nobody fetches a new token because of a signature.
    private static func challenge(_ code: ProblemCode, _ error: any Error) -> String? {
        switch code {
        // RFC 9421 registers no scheme. A 401 must have a challenge, and one that a client does not know leaves its tokens alone.
        case .signatureMissing, .signatureInvalid, .signatureExpired, .signatureReplayed, .digestMismatch:
            #"Signature realm="\#(SignatureProfile.tag)""#
        // RFC 6750, section 3.1: who brought nothing is told no error.
        case .tokenMissing: "Bearer \(realm)"
        case .tokenInvalid, .tokenExpired: #"Bearer \#(realm), error="invalid_token", error_description="\#(code.title)""#
        case .insufficientScope: #"Bearer \#(realm), error="insufficient_scope""#
        case .insufficientUserAuthentication: "Bearer \(realm)" + stepUp(error as? RequiredAuthentication)
        case .clientInvalid: #"Basic \#(realm), charset="UTF-8""#
        // No scheme is registered for cookies either; browsers ignore this one.
        case .sessionMissing: "Cookie \(realm)"
        default: nil
        }
    }

    /// RFC 9470, section 3.
    private static func stepUp(_ required: RequiredAuthentication?) -> String {
        var text = #", error="insufficient_user_authentication""#
        guard let required else { return text }
        if !required.contexts.isEmpty { text += #", acr_values="\#(required.contexts.joined(separator: " "))""# }
        if let seconds = required.maximumAgeSeconds { text += #", max_age="\#(seconds)""# }
        return text
    }
}
