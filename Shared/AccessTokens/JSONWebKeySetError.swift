/// Why a key set could not be had; free of the document's content, so it is safe to log.
package enum JSONWebKeySetError: Error, Equatable, Sendable {
    /// The file could not be read, or the fetch failed.
    ///
    /// - Parameter reason: From the operating system or the HTTP client, without any content.
    case sourceFailed(reason: String)
    /// The document is longer, or has more keys, than is accepted.
    case tooLarge
    /// The document is not a JSON Web Key Set (RFC 7517, section 5).
    case malformed
    /// Two usable keys have the same `kid`.
    case ambiguousKeyID
    /// No key in it is a P-256 key with a `kid` that is meant for signatures.
    case noUsableKey
}

extension JSONWebKeySetError: CustomStringConvertible {
    /// For logs.
    package var description: String {
        switch self {
        case .sourceFailed(let reason): "the source of the key set failed: \(reason)"
        case .tooLarge: "the key set is too large"
        case .malformed: "the key set is malformed"
        case .ambiguousKeyID: "the key set names two keys alike"
        case .noUsableKey: "the key set holds no usable key"
        }
    }
}
