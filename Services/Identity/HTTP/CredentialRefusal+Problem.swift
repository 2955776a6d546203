import Contracts

extension Problem {
    init(_ refusal: CredentialRefusal) {
        switch refusal {
        case .wrong: self.init(.credentialsInvalid)
        case .blocked(let pause): self.init(.rateLimited, retryAfterSeconds: max(1, Int((pause + .milliseconds(999)).components.seconds)))
        case .disabled: self.init(.accountDisabled)
        case .overloaded: self.init(.overloaded, retryAfterSeconds: 1)
        }
    }

    /// - Parameter member: Of the body, which holds the password.
    init(_ fault: PasswordFault, member: String) {
        let detail =
            switch fault {
            case .empty: "Must not be empty."
            case .tooLong:
                "Must have at most \(PreparedPassword.maximumCodePoints) characters and \(PreparedPassword.maximumBytes) bytes."
            case .unusableCharacter: "Must not contain characters that can't be typed."
            case .tooShort(let minimum): "Must have at least \(minimum) characters."
            case .common: "Must not be a common password or the account's own address."
            }
        self.init(.malformedRequest, errors: [FieldError(pointer: "/\(member)", detail: detail)])
    }
}
