import Contracts

/// Why an address can't be registered for redirects.
package enum RedirectURIFault: Error, Sendable, Hashable {
    /// Not 1 to 512 visible ASCII characters.
    case notPlainASCII
    case fragment
    case wildcard
    /// `https://user@host`: what stands before the @ is a host to some readers.
    case userInformation
    /// Neither https, nor http on the loopback address, nor a private-use scheme with a dot (RFC 8252).
    case scheme
    case noHost
    /// A backslash, which browsers take for a slash, a `.` or `..` in the path, which they resolve, a host that is not in lower case, or one with
    /// a character that no host or port has.
    case ambiguous
    /// A parameter that the answer has too, so that the client would find it twice.
    case answerParameter
}

/// Redirect URIs are compared, never parsed: what a browser reads differently from us must not decide where a code goes.
package enum RedirectURI {
    package static let maximumBytes = 512
    private static let answerParameters: Set<Substring> = ["code", "state", "iss", "error", "error_description", "error_uri", "response"]
    private static let loopbacks = ["http://127.0.0.1", "http://[::1]"]

    /// Judges an address that is to be registered.
    ///
    /// - Throws: why it can't be.
    package static func check(_ text: String) throws(RedirectURIFault) {
        guard (1...maximumBytes).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .notPlainASCII }
        guard !text.contains("#") else { throw .fragment }
        guard !text.contains("*") else { throw .wildcard }
        guard !text.contains("\\"), !hasDotSegment(text) else { throw .ambiguous }
        guard !hasAnswerParameter(text) else { throw .answerParameter }
        if let rest = text.removingPrefix("https://") {
            let authority = rest.prefix { !"/?".contains($0) }
            guard !authority.contains("@") else { throw .userInformation }
            guard !authority.isEmpty, authority.first != ":" else { throw .noHost }
            guard isPlain(authority) else { throw .ambiguous }
            return
        }
        guard !isLoopback(text) else { return }
        // `com.example.app:/callback`: the scheme is a domain name in reverse, which nobody else's app registers by accident.
        let scheme = text.prefix { $0 != ":" }
        guard scheme.contains("."), scheme.first?.isLetter == true, scheme.allSatisfy(isSchemeCharacter), text.dropFirst(scheme.count).hasPrefix(":/")
        else { throw .scheme }
        guard !text.contains("@") else { throw .userInformation }
    }

    /// Whether the address is one of those that were registered, byte by byte. One exception (RFC 8252, section 7.3): the port of a loopback
    /// address, which the system chooses for a native app.
    package static func isRegistered(_ text: String, among registered: [String]) -> Bool {
        if registered.contains(where: { ExactText($0) == ExactText(text) }) { return true }
        guard let bare = withoutLoopbackPort(text).map(ExactText.init(_:)) else { return false }
        return registered.contains { withoutLoopbackPort($0).map(ExactText.init(_:)) == bare }
    }

    /// A host in lower-case letters, digits, hyphens and dots, with or without a port: what everybody reads alike.
    private static func isPlain(_ authority: Substring) -> Bool {
        let host = authority.prefix { $0 != ":" }
        guard host.allSatisfy("abcdefghijklmnopqrstuvwxyz0123456789-.".contains) else { return false }
        return host.count == authority.count || DecimalDigits.number(authority.dropFirst(host.count + 1), as: UInt16.self) != nil
    }

    private static func hasDotSegment(_ text: String) -> Bool {
        text.prefix { $0 != "?" }.lowercased().split(separator: "/").contains { segment in
            [".", ".."].contains(segment.replacing("%2e", with: "."))
        }
    }

    private static func hasAnswerParameter(_ text: String) -> Bool {
        text.drop { $0 != "?" }.dropFirst().split(separator: "&").contains { answerParameters.contains($0.prefix { $0 != "=" }) }
    }

    private static func isLoopback(_ text: String) -> Bool { withoutLoopbackPort(text) != nil }

    /// nil for what is not an http address of the loopback interface.
    private static func withoutLoopbackPort(_ text: String) -> String? {
        for host in loopbacks {
            guard let rest = text.removingPrefix(host) else { continue }
            if rest.first == "/" { return text }
            guard rest.first == ":" else { continue }
            let port = rest.dropFirst().prefix { $0 != "/" }
            guard DecimalDigits.number(port, as: UInt16.self) != nil, rest.dropFirst(1 + port.count).first == "/" else { continue }
            return host + rest.dropFirst(1 + port.count)
        }
        return nil
    }

    private static func isSchemeCharacter(_ character: Character) -> Bool {
        ("a"..."z").contains(character) || ("0"..."9").contains(character) || "+.-".contains(character)
    }
}

extension String {
    fileprivate func removingPrefix(_ prefix: String) -> Substring? {
        utf8.starts(with: prefix.utf8) ? self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...] : nil
    }
}
