// The pages that make an account, or give a lost one back.

/// Asks for `email` and `password`.
package struct RegisterPage: Page {
    package static let template = "register"
    static let passwordLabel = PageText("field.password")
    let form: PageForm
    let email: String?
    let minimum: Int
    let signInURL: String?
    let fault: FormFault?
    let passwordLabel = Self.passwordLabel

    /// - Parameters:
    ///   - minimum: Characters that a password needs.
    ///   - signInURL: For who has an account; nil for no such link.
    package init(form: PageForm, email: String = "", minimum: Int, signInURL: String?, fault: FormFault? = nil) {
        self.form = form
        self.email = email.isEmpty ? nil : email
        self.minimum = minimum
        self.signInURL = signInURL
        self.fault = fault
    }
}

/// Asks for the `code` that was mailed to a new address, whether or not that could be done: the page is the same for a taken one.
package struct VerifyPage: Page {
    package static let template = "verify"
    let form: PageForm
    let resend: PageForm
    let email: String
    let otherAddressURL: String
    let isResent: Bool
    let fault: FormFault?

    /// - Parameters:
    ///   - resend: Has the mail sent again.
    ///   - email: As typed.
    ///   - otherAddressURL: Begins anew.
    ///   - isResent: Whether that was asked for just now.
    package init(form: PageForm, resend: PageForm, email: String, otherAddressURL: String, isResent: Bool = false, fault: FormFault? = nil) {
        self.form = form
        self.resend = resend
        self.email = email
        self.otherAddressURL = otherAddressURL
        self.isResent = isResent
        self.fault = fault
    }
}

/// Asks for the `email` of an account whose password is lost.
package struct RecoveryRequestPage: Page {
    package static let template = "recovery_request"
    let form: PageForm
    let email: String?
    let signInURL: String?
    let fault: FormFault?

    package init(form: PageForm, email: String = "", signInURL: String?, fault: FormFault? = nil) {
        self.form = form
        self.email = email.isEmpty ? nil : email
        self.signInURL = signInURL
        self.fault = fault
    }
}

/// Asks for the `code` that was mailed for recovery; the same whether or not there is such an account.
package struct RecoveryCodePage: Page {
    package static let template = "recovery_code"
    let form: PageForm
    let resend: PageForm
    let email: String
    let otherAddressURL: String
    let isResent: Bool
    let fault: FormFault?

    /// - Parameters: As those of ``VerifyPage``.
    package init(form: PageForm, resend: PageForm, email: String, otherAddressURL: String, isResent: Bool = false, fault: FormFault? = nil) {
        self.form = form
        self.resend = resend
        self.email = email
        self.otherAddressURL = otherAddressURL
        self.isResent = isResent
        self.fault = fault
    }
}

/// Asks for the new `password`, at the end of recovery.
package struct NewPasswordPage: Page {
    package static let template = "new_password_page"
    static let passwordLabel = PageText("field.new_password")
    let form: PageForm
    let email: String
    let minimum: Int
    let fault: FormFault?
    let passwordLabel = Self.passwordLabel

    /// - Parameters:
    ///   - email: The account's, for the person and their password manager.
    ///   - minimum: Characters that a password needs.
    package init(form: PageForm, email: String, minimum: Int, fault: FormFault? = nil) {
        self.form = form
        self.email = email
        self.minimum = minimum
        self.fault = fault
    }
}
