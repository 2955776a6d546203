/// Where a broker is and as whom to connect to it, from an `amqp://` or `amqps://` URL (RabbitMQ's URI specification).
///
/// The URL is a secret. No description, reflection or error of this type shows the password or a parameter of the URL.
package struct AMQPConfiguration: Sendable {
    package let host: String
    package let port: Int
    package let virtualHost: String
    package let user: String
    /// A dead peer is noticed after twice this time; the broker may ask for less.
    package let heartbeat: Duration
    /// For the TCP connection, and again for the handshakes on it, TLS and AMQP.
    package let connectTimeout: Duration
    let password: String
    /// Nil for plain TCP.
    let encryption: Encryption?

    /// What a TLS connection is checked against, and by what the client shows who it is. All are PEM files.
    struct Encryption: Sendable {
        let authorityFile: String
        let certificateFile: String?
        let keyFile: String?
    }

    package static let defaultPort = 5672
    package static let defaultEncryptedPort = 5671
    package static let defaultHeartbeat = Duration.seconds(10)
    package static let defaultConnectTimeout = Duration.seconds(5)

    package var isEncrypted: Bool { encryption != nil }

    /// The authorities that the broker's certificate is checked against; nil for plain TCP.
    package var authorityFile: String? { encryption?.authorityFile }

    /// Parses and checks a URL: `amqps://user:password@host:port/vhost?cacertfile=/path`.
    ///
    /// Without a path the virtual host is `/`; otherwise it is the path, percent-decoded. Keys of the query: `heartbeat` (s),
    /// `connection_timeout` (ms), and for `amqps` `cacertfile`, `certfile`, `keyfile`. The broker's certificate is always verified, its host
    /// name too.
    /// - Parameter authorityFile: used where an `amqps` URL names no `cacertfile`; one of the two must be there.
    /// - Throws: `invalidConfiguration`, naming the key but never a value.
    package init(url: String, authorityFile: String? = nil) throws(AMQPError) {
        let parts = try AMQPURL(url)
        guard !parts.host.isEmpty else { throw Self.invalid("has no host") }
        guard let user = parts.user, !user.isEmpty, let password = parts.password else { throw Self.invalid("has no user and password") }
        guard parts.virtualHost?.isEmpty != true else {
            throw Self.invalid("has an empty virtual host; leave out the slash after the host, or write %2F")
        }
        host = parts.host
        self.user = user
        self.password = password
        virtualHost = parts.virtualHost ?? "/"
        let fallbackPort = parts.isEncrypted ? Self.defaultEncryptedPort : Self.defaultPort
        port = parts.port.map { Int($0) ?? 0 } ?? fallbackPort
        guard (1...65535).contains(port) else { throw Self.invalid("has a port that is not a number from 1 to 65535") }
        var values = parts.parameters
        heartbeat = .seconds(try Self.takeNumber("heartbeat", in: 1...600, from: &values) ?? Int(Self.defaultHeartbeat.components.seconds))
        connectTimeout =
            try Self.takeNumber("connection_timeout", in: 100...60_000, from: &values).map { .milliseconds($0) } ?? Self.defaultConnectTimeout
        if parts.isEncrypted {
            guard let authority = values.removeValue(forKey: "cacertfile") ?? authorityFile, !authority.isEmpty else {
                throw Self.invalid("names no cacertfile, against which the broker's certificate is verified")
            }
            let certificate = values.removeValue(forKey: "certfile")
            let key = values.removeValue(forKey: "keyfile")
            guard (certificate == nil) == (key == nil) else { throw Self.invalid("names certfile or keyfile without the other") }
            encryption = Encryption(authorityFile: authority, certificateFile: certificate, keyFile: key)
        } else {
            encryption = nil
        }
        // Its name may be a piece of a password that is not percent-encoded.
        guard values.isEmpty else { throw Self.invalid("has a parameter that is not supported") }
        // They cross into C, and PLAIN separates user and password by NUL (RFC 4616).
        guard ![host, user, password, virtualHost].contains(where: { $0.utf8.contains(0) }) else { throw Self.invalid("is malformed") }
    }

    private static func takeNumber(
        _ key: String, in range: ClosedRange<Int>, from values: inout [String: String]
    ) throws(AMQPError) -> Int? {
        guard let text = values.removeValue(forKey: key) else { return nil }
        guard let number = Int(text), range.contains(number) else { throw invalid("has a \(key) that is not a number in \(range)") }
        return number
    }

    private static func invalid(_ what: String) -> AMQPError { AMQPError(.invalidConfiguration, "the broker's URL \(what)") }
}

extension AMQPConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(isEncrypted ? "amqps" : "amqp")://\(user)@\(host):\(port) \(virtualHost)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["target": description]) }
}
