/// Why a local issuer could not be made; free of key material.
package enum LocalTokenIssuerError: Error, Equatable, Sendable {
    /// The environment is not one that a local issuer may exist in.
    case environmentNotAllowed
    /// The directory holds no issuer yet.
    case notInitialised(directory: String)
    /// A file could not be read or written; `code` is the operating system's error number.
    case fileFailed(path: String, code: Int32)
    /// The private key file holds no P-256 key in PEM.
    case unusableKey(path: String)
    /// The lifetime is not between one second and the maximum.
    case lifetimeOutOfRange
    /// The token could not be signed.
    case signingFailed
}

extension LocalTokenIssuerError: CustomStringConvertible {
    /// One line for an operator.
    package var description: String {
        switch self {
        case .environmentNotAllowed: "a local token issuer needs FLORIN_ENVIRONMENT=local or staging; it is refused in production, the default"
        case .notInitialised(let directory): "no token issuer in \(directory); create one with: fleetctl issuer init"
        case .fileFailed(let path, let code): "cannot read or write \(path) (errno \(code))"
        case .unusableKey(let path): "\(path) holds no P-256 private key in PEM"
        case .lifetimeOutOfRange: "the lifetime must be 1 to \(LocalTokenIssuer.maximumLifetime) seconds"
        case .signingFailed: "the token could not be signed"
        }
    }
}
