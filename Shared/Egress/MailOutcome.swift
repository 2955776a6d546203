/// What became of a mail that was handed to a server.
package enum MailOutcome: Sendable, Hashable {
    /// The server has taken it over.
    case accepted
    /// The server, or the standard, will never take it.
    case rejected(MailReason)
    /// It has not been taken, and may be later. What is wrong with the server or our settings for it is among these: no mail dies of it.
    case tryAgain(MailReason)
    /// All of it was sent and no answer came: whether it was taken is not known, and sending it again may deliver it twice
    /// (RFC 5321, 6.1; RFC 1047).
    case unknown(MailReason)
}

/// Why, in words of ours and the server's codes: nothing that a server wrote is repeated, for it may hold the address.
package enum MailReason: Sendable, Hashable, CustomStringConvertible {
    case reply(SMTPReply)
    /// The local part is not ASCII and the server does not offer SMTPUTF8.
    case addressUnsupported
    case noConnection
    case noTLS
    case untrustedCertificate
    case credentialsRefused
    case timedOut
    case connectionLost
    /// libcurl's number of what else went wrong.
    case other(Int)

    package var description: String {
        switch self {
        case .reply(let reply): "\(reply)"
        case .addressUnsupported: "address_unsupported"
        case .noConnection: "no connection to the server"
        case .noTLS: "the server offers no TLS, or it failed"
        case .untrustedCertificate: "the server's certificate is not trusted"
        case .credentialsRefused: "the server refused our credentials"
        case .timedOut: "the server took too long"
        case .connectionLost: "the connection was lost"
        case .other(let code): "libcurl error \(code)"
        }
    }
}

/// A reply's codes (RFC 5321, 4.2; RFC 3463).
package struct SMTPReply: Sendable, Hashable, CustomStringConvertible {
    package let code: Int
    /// Like `5.1.1`.
    package let enhanced: String?

    package var description: String { enhanced.map { "\(code) \($0)" } ?? "\(code)" }
}
