/// An e-mail address as it goes over the wire: a dot-atom before the `@`, which may be UTF-8, and a domain in A-labels behind it.
///
/// Quoted local parts and address literals are refused. Nothing that passes can end a line or a bracket, wherever it is written.
package struct MailAddress: Sendable, Hashable {
    /// As its owner wrote it, case included.
    package let localPart: String
    /// In lower case; what was international is in its A-labels (RFC 5891).
    package let domain: String

    private static let localPartBytes = 1...64
    private static let maximumBytes = 254

    /// - Returns: nil for what is no address.
    package init?(_ text: String) {
        guard let at = text.lastIndex(of: "@") else { return nil }
        let localPart = text[..<at]
        guard Self.isDotAtom(localPart), let domain = MailDomain.ascii(String(text[text.index(after: at)...])) else { return nil }
        guard localPart.utf8.count + 1 + domain.utf8.count <= Self.maximumBytes else { return nil }
        self.localPart = String(localPart)
        self.domain = domain
    }

    package var text: String { "\(localPart)@\(domain)" }

    /// Whether only a server with SMTPUTF8 (RFC 6531) can take it.
    package var needsUTF8: Bool { !localPart.utf8.allSatisfy { $0 < 0x80 } }

    private static func isDotAtom(_ text: Substring) -> Bool {
        guard localPartBytes.contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.unicodeScalars.allSatisfy(isAtomText)
        }
    }

    /// RFC 5322, 3.2.3, and RFC 6532, 3.2, less what can't be seen.
    private static func isAtomText(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x80 else {
            return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .unassigned, .surrogate: return false
        default: return true
        }
    }
}
