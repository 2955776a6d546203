import Contracts

/// What the issuer can be called: an origin as browsers write it. Every address is the issuer and a path, and a form counts only when the
/// browser's `Origin` is the issuer, byte by byte.
package enum IssuerAddress {
    private static let schemes = [(prefix: "https://", port: UInt16(443)), (prefix: "http://", port: 80)]

    package static func isOrigin(_ text: String) -> Bool {
        guard let scheme = schemes.first(where: { text.hasPrefix($0.prefix) }) else { return false }
        let authority = text.dropFirst(scheme.prefix.count)
        // The colons of an IPv6 address stand in brackets.
        let end = authority.first == "[" ? authority.firstIndex(of: "]").map(authority.index(after:)) : authority.firstIndex(of: ":")
        let (host, port) = (authority[..<(end ?? authority.endIndex)], authority[(end ?? authority.endIndex)...])
        guard isName(host) || isAddressLiteral(host) else { return false }
        return port.isEmpty || isPort(port, otherThan: scheme.port)
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isDigit($0) || (0x61...0x7A).contains($0) || "-.".utf8.contains($0) }
    }

    /// An IPv6 address in lower case, in brackets.
    private static func isAddressLiteral(_ text: Substring) -> Bool {
        guard text.count > 2, text.first == "[", text.last == "]" else { return false }
        return text.dropFirst().dropLast().utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) || $0 == UInt8(ascii: ":") }
    }

    /// A colon and a port; browsers leave out the scheme's own.
    private static func isPort(_ text: Substring, otherThan own: UInt16) -> Bool {
        guard text.first == ":", let number = DecimalDigits.number(text.dropFirst(), as: UInt16.self) else { return false }
        return number != own && number > 0
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
