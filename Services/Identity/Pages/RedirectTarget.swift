/// Where a redirect URI leads, as far as browsers and people tell such places apart.
struct RedirectTarget: Hashable {
    /// A source of `Content-Security-Policy` that lets a form's answer lead there: `https://app.example`, or an app's own `com.example:`.
    let policySource: String
    /// The host, or an app's own scheme.
    let shown: String

    /// Nil for what is neither: it can't have been registered.
    init?(_ uri: String) {
        let parts = uri.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].utf8.first, Self.isLetter(first), parts[0].utf8.allSatisfy(Self.isOfScheme) else { return nil }
        let scheme = parts[0].lowercased()
        guard scheme == "https" || scheme == "http" else {
            // An app's (RFC 8252, section 7.1). Without a dot it is nobody's: `javascript`, `data`.
            guard scheme.contains(".") else { return nil }
            policySource = "\(scheme):"
            shown = scheme
            return
        }
        guard parts[1].hasPrefix("//") else { return nil }
        let authority = parts[1].dropFirst(2).prefix { !"/?#".contains($0) }
        if authority.hasPrefix("["), authority.utf8.allSatisfy(Self.isOfAddress) {
            // A source can't name an IPv6 address.
            policySource = "\(scheme):"
        } else if !authority.isEmpty, authority.utf8.allSatisfy(Self.isOfHost) {
            policySource = "\(scheme)://\(authority)"
        } else {
            return nil
        }
        shown = String(authority)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isOfScheme(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || "+-.".utf8.contains(byte) }
    private static func isOfHost(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) || "-.:".utf8.contains(byte) }
    private static func isOfAddress(_ byte: UInt8) -> Bool { isOfHost(byte) || "[]".utf8.contains(byte) }
}
