package import NIOSSL

/// Where Redis is and as whom to connect to it, from a `redis://` or `rediss://` URL.
///
/// The URL is a secret. No description, reflection or error of this type shows user or password.
package struct RedisConfiguration: Sendable {
    package static let defaultPort = 6_379
    private static let maximumDatabase = 1_023

    package let host: String
    package let port: Int
    package let database: Int
    /// Shown by `CLIENT LIST`.
    package let clientName: String
    /// Whether the connection is encrypted.
    package let isEncrypted: Bool
    let user: String?
    let password: String?
    /// Asked for anew for each connection, so that replaced authorities count.
    let tls: @Sendable () -> TLSConfiguration

    /// Parses `redis[s]://[[user]:password@]host[:port][/database]`; what is special in user or password is percent-encoded.
    ///
    /// - Parameters:
    ///   - clientName: Visible ASCII without spaces.
    ///   - tls: With what a `rediss` connection verifies its server; the system's authorities unless given.
    /// - Throws: `invalidConfiguration`, quoting nothing of the URL.
    package init(
        url: String, clientName: String, tls: @escaping @Sendable () -> TLSConfiguration = { .makeClientConfiguration() }
    ) throws(RedisError) {
        let rest: Substring
        if url.hasPrefix("redis://") {
            (isEncrypted, rest) = (false, url.dropFirst("redis://".count))
        } else if url.hasPrefix("rediss://") {
            (isEncrypted, rest) = (true, url.dropFirst("rediss://".count))
        } else {
            throw .invalidConfiguration("must begin with redis:// or rediss://")
        }
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidConfiguration("holds characters that must be percent-encoded")
        }
        guard !rest.contains("?"), !rest.contains("#") else {
            throw .invalidConfiguration("has parameters, or a ? or # that must be percent-encoded; none is known")
        }
        let authority = rest.prefix { $0 != "/" }
        database = try Self.database(rest.dropFirst(authority.count))
        let place: Substring
        if let at = authority.lastIndex(of: "@") {
            (user, password) = try Self.credentials(authority[..<at])
            place = authority[authority.index(after: at)...]
        } else {
            (user, password) = (nil, nil)
            place = authority
        }
        (host, port) = try Self.place(place)
        self.clientName = clientName
        self.tls = tls
    }

    private static func credentials(_ text: Substring) throws(RedisError) -> (user: String?, password: String) {
        guard let colon = text.firstIndex(of: ":") else { throw .invalidConfiguration("has a user without a password") }
        let user = try percentDecoded(text[..<colon])
        let password = try percentDecoded(text[text.index(after: colon)...])
        guard !password.isEmpty else { throw .invalidConfiguration("has an empty password") }
        return (user.isEmpty ? nil : user, password)
    }

    private static func place(_ text: Substring) throws(RedisError) -> (host: String, port: Int) {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw .invalidConfiguration("has an IPv6 address without its end") }
            host = text[text.index(after: text.startIndex)..<end]
            let tail = text[text.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw .invalidConfiguration("has a host that is none") }
            port = tail.isEmpty ? nil : tail.dropFirst()
            guard host.utf8.allSatisfy({ isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }) else {
                throw .invalidConfiguration("has a host that is none")
            }
        } else {
            if let colon = text.firstIndex(of: ":") {
                host = text[..<colon]
                port = text[text.index(after: colon)...]
            }
            guard host.utf8.allSatisfy({ isHostCharacter($0) }) else { throw .invalidConfiguration("has a host that is none") }
        }
        guard !host.isEmpty else { throw .invalidConfiguration("has no host") }
        guard let port else { return (String(host), defaultPort) }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port), (1...65_535).contains(number) else {
            throw .invalidConfiguration("has a port that is not a number from 1 to 65535")
        }
        return (String(host), number)
    }

    private static func database(_ path: Substring) throws(RedisError) -> Int {
        guard path.count > 1 else { return 0 }
        let digits = path.dropFirst()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number <= maximumDatabase else {
            throw .invalidConfiguration("has a database that is not a number from 0 to \(maximumDatabase)")
        }
        return number
    }

    private static func percentDecoded(_ text: Substring) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                throw .invalidConfiguration("has a % that begins no escape in user or password")
            }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidConfiguration("has a user or password that is not UTF-8") }
        return text
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool { hexValue(byte) != nil }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(isEncrypted ? "rediss" : "redis")://\(host):\(port)/\(database)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["target": description]) }
}
