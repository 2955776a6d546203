import Contracts

/// Where a service is called: `http://host[:port]` or `https://host[:port]`, and nothing after it.
package struct ServiceAddress: Sendable, Hashable, CustomStringConvertible {
    package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        package let description = "expected http://host:port or https://host:port without path, query or password"
    }

    private static let schemes = ["http", "https"]

    package let scheme: String
    /// Host and, where one is given, port: the Host field of every request.
    package let authority: String

    /// - Throws: ``Invalid``.
    package init(_ text: String) throws(Invalid) {
        guard let scheme = Self.schemes.first(where: { text.hasPrefix($0 + "://") }) else { throw Invalid() }
        var authority = text.dropFirst(scheme.count + 3)
        if authority.last == "/" { authority.removeLast() }
        guard Self.isAuthority(authority) else { throw Invalid() }
        self.scheme = scheme
        self.authority = authority.lowercased()
    }

    package var description: String { "\(scheme)://\(authority)" }

    /// The authority without its port.
    var host: String { port == nil ? authority : String(authority[..<(authority.lastIndex(of: ":") ?? authority.endIndex)]) }

    /// Nil when it is the scheme's own.
    var port: Int? {
        // An IPv6 address holds colons too, but its last one is followed by a bracket.
        authority.lastIndex(of: ":").flatMap { DecimalDigits.number(authority[authority.index(after: $0)...]) }
    }

    private static func isAuthority(_ text: Substring) -> Bool {
        let host: Substring
        let port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":"), host.utf8.allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: ":") }) else { return false }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = parts[0]
            port = parts.count == 2 ? parts[1] : nil
            guard host.utf8.allSatisfy(isHostByte) else { return false }
        }
        guard !host.isEmpty else { return false }
        guard let port else { return true }
        return DecimalDigits.number(port, as: Int.self).map { (1...65_535).contains($0) } == true
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: false
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
