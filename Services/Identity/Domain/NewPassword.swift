/// What a password must be to be set.
package enum NewPassword {
    /// Where it is the only factor (NIST SP 800-63B-4, section 3.1.1.2).
    package static let minimumAlone = 15
    package static let minimumBesideSecondFactor = 8
    private static let ownName = "florin"

    /// Prepares and judges a password.
    ///
    /// - Parameters:
    ///   - email: The account's address, which is no password; nor is what stands before its `@`.
    ///   - hasSecondFactor: Whether the account has one that is confirmed.
    /// - Throws: ``PasswordFault``.
    package static func prepare(
        _ text: String, email: EmailAddress?, hasSecondFactor: Bool, blocklist: PasswordBlocklist
    ) throws(PasswordFault) -> PreparedPassword {
        let password = try PreparedPassword(text)
        let minimum = hasSecondFactor ? minimumBesideSecondFactor : minimumAlone
        guard password.codePoints >= minimum else { throw .tooShort(minimum: minimum) }
        guard !blocklist.covers(password) else { throw .common }
        let folded = password.text.lowercased().inNormalFormC
        let own = [email?.key, email?.typed.lowercased().inNormalFormC, email.map { String($0.local) }, ownName].compactMap { $0 }
        guard !own.contains(folded) else { throw .common }
        return password
    }

    /// Whether the password is good only beside a second factor.
    package static func isShort(_ password: PreparedPassword) -> Bool { password.codePoints < minimumAlone }
}
