/// Where mails are handed in, and how.
package struct SMTPServer: Sendable {
    package enum Security: String, Sendable, CaseIterable {
        /// In plain text at first; without STARTTLS nothing is sent.
        case startTLS = "starttls"
        /// TLS from the first byte.
        case tls
        case none
    }

    package struct Credentials: Sendable {
        let user: String
        let password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    package let host: String
    package let port: Int
    let security: Security
    /// Authorities in PEM that are trusted instead of the system's.
    let authorities: String?
    let credentials: Credentials?
    /// What EHLO says that we are: a domain.
    let clientName: String
    /// For the whole of one mail, in whole milliseconds.
    package let timeout: Duration

    package init(
        host: String, port: Int, security: Security, authorities: String?, credentials: Credentials?, clientName: String, timeout: Duration
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.authorities = authorities
        self.credentials = credentials
        self.clientName = clientName
        self.timeout = timeout
    }

    var url: String {
        "\(security == .tls ? "smtps" : "smtp")://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(clientName)"
    }
}
