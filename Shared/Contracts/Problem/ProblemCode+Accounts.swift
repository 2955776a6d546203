/// What identity answers about accounts and credentials besides what any route does.
extension ProblemCode {
    package static let accountDisabled = Self("account_disabled", status: 403, title: "The account is disabled")
    package static let codeInvalid = Self("code_invalid", status: 422, title: "The code is wrong, has been used or has expired")
    package static let credentialsInvalid = Self("credentials_invalid", status: 422, title: "The password or code is not right")
    package static let secondFactorRequired = Self(
        "second_factor_required", status: 422, title: "The account's second factor is required as well")

    package static let passwordTooShort = Self(
        "password_too_short", status: 422, title: "The password is too short to be the only factor")
    package static let secondFactorMissing = Self("second_factor_missing", status: 422, title: "The account has no second factor")

    /// In the order of their statuses.
    package static let accounts: [Self] = [
        accountDisabled, codeInvalid, credentialsInvalid, secondFactorRequired, passwordTooShort, secondFactorMissing,
    ]
}
