/// Why a text can't be, or can't become, somebody's password.
package enum PasswordFault: Error, Sendable, Hashable {
    case empty
    /// Longer than ``PreparedPassword/maximumCodePoints`` or ``PreparedPassword/maximumBytes``.
    case tooLong
    /// It holds a character that keyboards don't give or that can't be seen, such as NUL.
    case unusableCharacter
    case tooShort(minimum: Int)
    /// It is a common password, one that is made from one, or the account's own address.
    case common
}

/// A password as it is hashed: the profile OpaqueString of RFC 8265, section 4.2, so that it is the same from whatever keyboard (ID-11).
///
/// Nothing is trimmed, cut or ignored. The contextual rules of RFC 8264 (for the joiners and the middle dot) are left out: they are about
/// names that look alike, and a password is never shown.
package struct PreparedPassword: Sendable, CustomStringConvertible, CustomReflectable {
    /// Refused before any work is done for them.
    package static let maximumCodePoints = 256
    package static let maximumBytes = 1_024

    let text: String

    /// - Throws: ``PasswordFault`` `empty`, `tooLong` or `unusableCharacter`.
    package init(_ typed: String) throws(PasswordFault) {
        guard typed.utf8.count <= Self.maximumBytes, typed.unicodeScalars.count <= Self.maximumCodePoints else { throw .tooLong }
        var mapped = String.UnicodeScalarView()
        for scalar in typed.unicodeScalars { mapped.append(scalar.properties.generalCategory == .spaceSeparator ? " " : scalar) }
        let text = String(mapped).inNormalFormC
        guard !text.isEmpty else { throw .empty }
        // A few letters have more code points in normal form C than before.
        guard text.utf8.count <= Self.maximumBytes, text.unicodeScalars.count <= Self.maximumCodePoints else { throw .tooLong }
        guard text.unicodeScalars.allSatisfy(Self.isUsable) else { throw .unusableCharacter }
        self.text = text
    }

    var codePoints: Int { text.unicodeScalars.count }

    package var description: String { "a password" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Whether the FreeformClass has it (RFC 8264, section 4.3).
    private static func isUsable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) }
        switch scalar.value {
        // The joiners are letters' parts in Persian and in the scripts of India.
        case 0x200C, 0x200D: return true
        // Disallowed by name (RFC 5892, section 2.6).
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        // Old Hangul, whose letters normal form C leaves apart.
        case 0x1100...0x11FF, 0xA960...0xA97F, 0xD7B0...0xD7FF: return false
        default: break
        }
        let properties = scalar.properties
        guard !properties.isDefaultIgnorableCodePoint, !properties.isNoncharacterCodePoint else { return false }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }
}
