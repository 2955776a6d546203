/// Why a form comes back: shown above it, and tied to the field that it concerns.
package struct FormFault: Sendable, Hashable {
    enum Kind: String, CaseIterable, Sendable {
        case wrongPassword = "wrong_password"
        case wrongCode = "wrong_code"
        case wrongMailedCode = "wrong_mailed_code"
        case blockedMinute = "blocked_minute"
        case blockedMinutes = "blocked_minutes"
        case disabled
        case busy
        case emailInvalid = "email_invalid"
        case passwordShort = "password_short"
        case passwordLong = "password_long"
        case passwordCommon = "password_common"
        case passwordUnusable = "password_unusable"

        var text: PageText { PageText("fault.\(rawValue)") }
    }

    private enum Field { case email, password, code }

    let text: PageText
    let atEmail: Bool
    let atPassword: Bool
    let atCode: Bool
    /// To wait.
    let minutes: Int?
    /// Characters of a password.
    let maximum: Int?

    private init(_ kind: Kind, at field: Field? = nil, minutes: Int? = nil, maximum: Int? = nil) {
        text = kind.text
        atEmail = field == .email
        atPassword = field == .password
        atCode = field == .code
        self.minutes = minutes
        self.maximum = maximum
    }

    /// The same for an address that has no account.
    package static let wrongPassword = FormFault(.wrongPassword, at: .password)
    /// From an app or the list of recovery codes; also for one that was used already.
    package static let wrongCode = FormFault(.wrongCode, at: .code)
    /// Also for one that has expired, and where none was sent.
    package static let wrongMailedCode = FormFault(.wrongMailedCode, at: .code)
    package static let disabled = FormFault(.disabled)
    package static let busy = FormFault(.busy)
    package static let emailInvalid = FormFault(.emailInvalid, at: .email)
    /// The page's own minimum is named.
    package static let passwordShort = FormFault(.passwordShort, at: .password)
    /// Also for the address and for our own name.
    package static let passwordCommon = FormFault(.passwordCommon, at: .password)
    package static let passwordUnusable = FormFault(.passwordUnusable, at: .password)

    package static func passwordLong(maximum: Int) -> FormFault { FormFault(.passwordLong, at: .password, maximum: maximum) }

    /// Too many attempts; rounded up to whole minutes.
    package static func blocked(for wait: Duration) -> FormFault {
        let minutes = max(1, Int((wait / .seconds(60)).rounded(.up)))
        return minutes == 1 ? FormFault(.blockedMinute) : FormFault(.blockedMinutes, minutes: minutes)
    }
}
