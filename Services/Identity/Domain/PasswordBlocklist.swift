/// Passwords that everybody tries first (NIST SP 800-63B-4, section 3.1.1.2), in memory.
package struct PasswordBlocklist: Sendable {
    private static let commentPrefix = "#!comment:"
    /// Shorter pieces, repeated, are as easy to guess as if they were listed.
    private static let shortPiece = 5
    /// Shorter words among digits and signs make nothing easier to guess.
    private static let shortestCore = 4

    private let words: Set<String>

    /// - Parameter lines: A word each, in any case; lines that begin with `#!comment:` and empty ones are none.
    package init(lines: some Sequence<some StringProtocol>) {
        words = Set(
            lines.lazy.filter { !$0.isEmpty && !$0.hasPrefix(Self.commentPrefix) }.compactMap { line in
                (try? PreparedPassword(String(line))).map(Self.folded)
            })
    }

    var count: Int { words.count }

    /// Whether the password is listed, in whatever case; is a listed word with digits and signs around it, or the same piece again and
    /// again; or is a run as of `12345…` and `aaaa…`.
    func covers(_ password: PreparedPassword) -> Bool {
        let folded = Self.folded(password)
        if words.contains(folded) { return true }
        let core = Self.core(of: folded)
        if core.unicodeScalars.count >= Self.shortestCore, words.contains(core) { return true }
        let scalars = Array(folded.unicodeScalars)
        return Self.isRun(scalars) || isRepetition(scalars)
    }

    private static func folded(_ password: PreparedPassword) -> String { password.text.lowercased().inNormalFormC }

    /// Without the digits and signs that people put before and behind a word.
    private static func core(of text: String) -> String {
        let isAround: (Unicode.Scalar) -> Bool = { $0.isASCII && !("a"..."z").contains($0) }
        let scalars = text.unicodeScalars.drop(while: isAround)
        guard let last = scalars.lastIndex(where: { !isAround($0) }) else { return "" }
        return String(String.UnicodeScalarView(scalars[...last]))
    }

    /// Each character is the one before, the next or the previous one; after 9 comes 0.
    private static func isRun(_ scalars: [Unicode.Scalar]) -> Bool {
        let steps = zip(scalars.dropFirst(), scalars).map { next, scalar in
            switch (scalar, next) {
            case ("9", "0"): 1
            case ("0", "9"): -1
            default: Int(next.value) - Int(scalar.value)
            }
        }
        guard let first = steps.first, (-1...1).contains(first) else { return false }
        return steps.allSatisfy { $0 == first }
    }

    private func isRepetition(_ scalars: [Unicode.Scalar]) -> Bool {
        guard scalars.count >= 2 else { return false }
        for length in 1...(scalars.count / 2) where scalars.count.isMultiple(of: length) {
            guard scalars.indices.dropFirst(length).allSatisfy({ scalars[$0] == scalars[$0 - length] }) else { continue }
            if length <= Self.shortPiece { return true }
            return words.contains(String(String.UnicodeScalarView(scalars[..<length])))
        }
        return false
    }
}
