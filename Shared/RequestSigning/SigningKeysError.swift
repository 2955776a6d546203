/// Why a keys file cannot be used; it names a place and a rule, never a value, so that no secret can show.
package enum SigningKeysError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file at the path cannot be opened or read; `errno` says why.
    case unreadable(path: String, errno: Int32)
    /// The file has more bytes than a keys file can have.
    case tooLarge(path: String)
    /// What the JSON pointer (RFC 6901) points at breaks a rule.
    case invalid(_ pointer: String, _ problem: Problem)

    package enum Problem: String, Sendable, CaseIterable {
        case notJSON = "the file is not JSON"
        case missingMember = "the member is missing"
        case unknownMember = "the member is unknown"
        case wrongType = "the value has the wrong type"
        case serviceName = "not a service's name (lower-case letters, digits, inner hyphens)"
        case keyID = "not a key id (1 to 128 visible ASCII characters without quote and backslash)"
        case secret = "not 32 bytes in padded base64"
        case time = "not an RFC 3339 time in UTC (2026-01-31T00:00:00Z)"
        case emptyPeriod = "not later than not_before"
        case duplicateKeyID = "another inbound key has this id"
        case secretReused = "another inbound key has this secret"
        case secondKeyForCallee = "there is already a key for this callee"
        case tooManyKeys = "there are too many keys (two per caller, 64 in all)"
        case serviceChanged = "the new file belongs to another service than the old one"
    }

    /// One line for an operator, safe to log.
    package var description: String {
        switch self {
        case .unreadable(let path, let errno): "keys file \(path) cannot be read (errno \(errno))"
        case .tooLarge(let path): "keys file \(path) is larger than \(SigningKeyFile.maximumBytes) bytes"
        case .invalid(let pointer, let problem): "keys file: \(pointer.isEmpty ? "whole file" : pointer): \(problem.rawValue)"
        }
    }
}
