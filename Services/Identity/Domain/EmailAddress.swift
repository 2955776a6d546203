/// A person's e-mail address: as they typed it, for sending, and as the key by which it is one and the same (ID-10).
///
/// The key is trimmed, in normal form C, in lower case on both sides whatever the locale, and has its domain as A-labels (RFC 5891): sign-in,
/// registration, recovery, look-up and counters compare by it and by nothing else.
package struct EmailAddress: Sendable {
    /// RFC 5321, section 4.5.3.1, in bytes.
    package static let maximumBytes = 254
    private static let maximumLocalBytes = 64
    private static let maximumDomainBytes = 253
    private static let maximumLabelBytes = 63
    /// Longer texts are refused unread; a key can be shorter than what was typed.
    private static let maximumTypedBytes = 1_024
    private static let aLabelPrefix = "xn--"
    /// Sharp s and final sigma are letters of their own, although case folding changes them (RFC 5892, section 2.6).
    private static let keptLetters: Set<Unicode.Scalar> = ["\u{DF}", "\u{3C2}"]

    /// Without the space around it, and a domain of other scripts in its A-labels: who sends the mail, or resolves the name, has nothing to map,
    /// and can't map it to another domain than the key's.
    package let typed: String
    package let key: String

    /// - Returns: nil for what is no address that mail can be sent to: quoted local parts, address literals and domains of one label included.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumTypedBytes else { return nil }
        let typed = text.trimmed
        let normal = typed.inNormalFormC.lowercased().inNormalFormC
        guard let at = normal.lastIndex(of: "@"), let local = Self.local(normal[..<at]),
            let domain = Self.domain(normal[normal.index(after: at)...])
        else { return nil }
        let key = "\(local)@\(domain)"
        guard let typed = Self.sendable(typed, domain), key.utf8.count <= Self.maximumBytes, typed.utf8.count <= Self.maximumBytes else { return nil }
        self.typed = typed
        self.key = key
    }

    private static func sendable(_ typed: String, _ domain: String) -> String? {
        guard let at = typed.lastIndex(of: "@") else { return nil }
        return typed[at...].utf8.allSatisfy { $0 < 0x80 } ? typed : "\(typed[..<at])@\(domain)"
    }

    /// The part before the last `@`, lower-case.
    var local: Substring { key[..<(key.lastIndex(of: "@") ?? key.endIndex)] }

    /// A dot-string (RFC 5321, section 4.1.2), with the letters of other scripts (RFC 6531).
    private static func local(_ text: Substring) -> Substring? {
        guard text.utf8.count <= maximumLocalBytes else { return nil }
        let atoms = text.split(separator: ".", omittingEmptySubsequences: false)
        guard atoms.allSatisfy({ !$0.isEmpty && $0.unicodeScalars.allSatisfy { $0.isASCII ? isAtomText($0) : isVisible($0) } }) else { return nil }
        return text
    }

    private static func isAtomText(_ scalar: Unicode.Scalar) -> Bool {
        isLetterOrDigit(scalar) || "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
    }

    /// What can't be seen can't be told from what is not there.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.properties.isDefaultIgnorableCodePoint else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    private static func domain(_ text: Substring) -> String? {
        // The full stops of East Asian keyboards separate labels too (RFC 5895, section 2).
        let labels = text.split(omittingEmptySubsequences: false) { "." == $0 || "\u{3002}" == $0 || "\u{FF0E}" == $0 || "\u{FF61}" == $0 }
        let ascii = labels.compactMap(label)
        // A last label of digits would be an IPv4 address to some.
        guard labels.count >= 2, ascii.count == labels.count, let last = ascii.last, last.utf8.contains(where: { !isDigit($0) }) else { return nil }
        let domain = ascii.joined(separator: ".")
        return domain.utf8.count <= maximumDomainBytes ? domain : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// A label in letters, digits and hyphens: as it is, or as the A-label of its letters and digits of any script.
    private static func label(_ text: Substring) -> String? {
        guard !text.isEmpty, text.utf8.count <= maximumTypedBytes, !text.hasPrefix("-"), !text.hasSuffix("-") else { return nil }
        let scalars = text.unicodeScalars
        let isASCII = scalars.allSatisfy(\.isASCII)
        // RFC 5891, section 4.2.3.1: hyphens in these places are kept for prefixes.
        guard isASCII && text.hasPrefix(aLabelPrefix) || !text.dropFirst(2).hasPrefix("--") else { return nil }
        guard scalars.allSatisfy({ $0 == "-" || ($0.isASCII ? isLetterOrDigit($0) : isLabelLetter($0)) }) else { return nil }
        if let first = scalars.first, !isASCII, isMark(first) { return nil }
        let label = isASCII ? String(text) : aLabelPrefix + Punycode.encode(scalars)
        return label.utf8.count <= maximumLabelBytes ? label : nil
    }

    /// Letters, digits and marks (RFC 5892, section 2.1), less those that are another way to write others (section 2.2): whoever resolves the
    /// name takes them for the others, so that mail for a domain with a long s would go to the one with an s.
    private static func isLabelLetter(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.properties.isDefaultIgnorableCodePoint, !scalar.properties.changesWhenNFKCCaseFolded || keptLetters.contains(scalar) else {
            return false
        }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .nonspacingMark, .spacingMark: return true
        default: return false
        }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}

extension EmailAddress: Hashable {
    /// However they were typed. Keys are in normal form C, so equal ones have the same bytes.
    package static func == (left: Self, right: Self) -> Bool { left.key == right.key }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

extension String {
    fileprivate var trimmed: String {
        let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let scalars = unicodeScalars.drop(while: isSpace)
        guard let last = scalars.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(String.UnicodeScalarView(scalars[...last]))
    }
}
