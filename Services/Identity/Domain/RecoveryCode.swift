/// A code to be kept on paper, for when the second factor is lost: 80 random bits, good once.
package struct RecoveryCode: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// How many a user gets at a time.
    package static let count = 10
    private static let characters = 16
    private static let group = 4
    /// Base 32 without what is read for something else (Crockford's).
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".unicodeScalars)

    /// The 16 characters, without the hyphens between the groups.
    let characters: String

    package static func new(using random: inout some RandomNumberGenerator) -> RecoveryCode {
        var text = String.UnicodeScalarView()
        for _ in 0..<characters { text.append(alphabet[Int.random(in: alphabet.indices, using: &random)]) }
        return RecoveryCode(unchecked: String(text))
    }

    /// As many as a user gets, all different.
    static func set() -> [RecoveryCode] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in new(using: &random) }
    }

    private init(unchecked characters: String) {
        self.characters = characters
    }

    /// As somebody types it from paper: in any case, with any hyphens and spaces, with `o` for 0 and `i` or `l` for 1.
    package init?(_ typed: String) {
        guard typed.utf8.count <= 64 else { return nil }
        var text = String.UnicodeScalarView()
        for scalar in typed.lowercased().unicodeScalars where scalar != "-" && scalar != " " {
            let scalar: Unicode.Scalar =
                switch scalar {
                case "o": "0"
                case "i", "l": "1"
                default: scalar
                }
            guard Self.alphabet.contains(scalar) else { return nil }
            text.append(scalar)
        }
        guard text.count == Self.characters else { return nil }
        characters = String(text)
    }

    /// As it is shown, once: `k3m9-…`.
    package var shown: String {
        stride(from: 0, to: Self.characters, by: Self.group)
            .map { String(characters.dropFirst($0).prefix(Self.group)) }.joined(separator: "-")
    }

    package var description: String { "a recovery code" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
