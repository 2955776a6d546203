/// Why a request was not accepted as coming from the service that it names.
package enum SignatureRejection: Error, Equatable, Sendable, CustomStringConvertible {
    /// The request carries no signature.
    case missing
    /// The signature is not of the accepted shape, its key is unknown, or its code is wrong.
    case invalid(Reason)
    /// `expires` has passed by more than the skew.
    case expired
    /// The nonce was used before, or the request was signed before the replay window began.
    case replayed
    /// The body received is not the body signed.
    case digestMismatch
    /// The key is known, but its owner may not use the route.
    case callerNotAllowed
    /// The replay window is full or out of reach, so the request can't be admitted safely (503).
    case replayWindowUnavailable

    /// The stable problem code of the interfaces page.
    package var code: String {
        switch self {
        case .missing: "signature_missing"
        case .invalid: "signature_invalid"
        case .expired: "signature_expired"
        case .replayed: "signature_replayed"
        case .digestMismatch: "digest_mismatch"
        case .callerNotAllowed: "caller_not_allowed"
        case .replayWindowUnavailable: "unavailable"
        }
    }

    /// The code, with the reason where there is one; constant text only, safe to log.
    package var description: String {
        switch self {
        case .invalid(let reason): "\(code) (\(reason.rawValue))"
        case .missing, .expired, .replayed, .digestMismatch, .callerNotAllowed, .replayWindowUnavailable: code
        }
    }

    /// What exactly is wrong with an invalid signature; constant words, safe to log and of no use to a forger.
    package enum Reason: String, Sendable, CaseIterable {
        /// A covered or signature field stands in the request twice.
        case duplicateField = "duplicate_field"
        /// The method is empty or not visible ASCII.
        case method
        /// The authority is empty or not visible ASCII.
        case authority
        /// The target is not in origin form, or not visible ASCII.
        case target
        /// A covered field's value holds a control or non-ASCII character, or begins or ends with a space.
        case fieldValue = "field_value"
        /// There is a body but no Content-Digest.
        case contentDigestMissing = "content_digest_missing"
        /// Content-Digest is not exactly one strict base64 `sha-256`.
        case contentDigestShape = "content_digest_shape"
        /// There is a body but no Content-Type.
        case contentTypeMissing = "content_type_missing"
        /// Signature-Input begins with no label, or its covered components are not exactly those that this request needs.
        case coveredComponents = "covered_components"
        /// The parameters after the covered components are not created, expires, nonce, keyid and tag, each once and well formed.
        case parameters
        /// Signature is not exactly one strict base64 code of 32 bytes under the label of Signature-Input.
        case signatureShape = "signature_shape"
        /// No inbound key of this id is valid now.
        case unknownKey = "unknown_key"
        /// The code does not match.
        case wrongCode = "wrong_code"
        /// `created` is later than now by more than the skew.
        case createdInFuture = "created_in_future"
        /// `expires` is not 1 to 30 seconds after `created`.
        case lifetime
    }
}
