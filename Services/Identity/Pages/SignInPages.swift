// The pages between an authorization request and its answer, and those of signing out.

/// Asks for `email` and `password`.
package struct SignInPage: Page {
    package static let template = "sign_in"
    let form: PageForm
    let client: String?
    let email: String?
    let isAgain: Bool
    let recoveryURL: String?
    let registerURL: String?
    let fault: FormFault?
    package let leadsTo: [String]

    /// - Parameters:
    ///   - client: The name of the app that asks.
    ///   - email: As typed before, or as `login_hint` says.
    ///   - isAgain: Whether the person is signed in already and has to confirm it (`prompt=login`, `max_age`, `acr_values`).
    ///   - recoveryURL: Where a forgotten password is replaced; nil for no such link.
    ///   - registerURL: Where an account is made; nil for no such link.
    ///   - leadsTo: Every address that is registered for the client: its redirect URIs, those after signing out, its origins. A client may
    ///     send the browser on from the first to another of them, and Chromium holds that against the page as well.
    package init(
        form: PageForm, client: String?, email: String = "", isAgain: Bool = false, recoveryURL: String?, registerURL: String?,
        fault: FormFault? = nil, leadsTo: [String]
    ) {
        self.form = form
        self.client = client
        self.email = email.isEmpty ? nil : email
        self.isAgain = isAgain
        self.recoveryURL = recoveryURL
        self.registerURL = registerURL
        self.fault = fault
        self.leadsTo = leadsTo
    }
}

/// Asks for `code`: the authenticator app's, or one of the recovery codes. Also a step of recovery.
package struct SecondFactorPage: Page {
    package static let template = "second_factor"
    let form: PageForm
    let email: String
    let usesRecoveryCode: Bool
    let otherURL: String?
    let fault: FormFault?
    package let leadsTo: [String]

    /// - Parameters:
    ///   - email: The account's, as typed.
    ///   - usesRecoveryCode: Whether a recovery code is asked for.
    ///   - otherURL: The same page with the other of both; nil where there is no choice.
    ///   - leadsTo: As of ``SignInPage``.
    package init(
        form: PageForm, email: String, usesRecoveryCode: Bool = false, otherURL: String?, fault: FormFault? = nil, leadsTo: [String]
    ) {
        self.form = form
        self.email = email
        self.usesRecoveryCode = usesRecoveryCode
        self.otherURL = otherURL
        self.fault = fault
        self.leadsTo = leadsTo
    }
}

/// Asks whether a client may have what it asks for: `decision` is `allow` or `deny`.
package struct ConsentPage: Page {
    package static let template = "consent"
    let form: PageForm
    let client: String
    let email: String
    let scopes: [ScopeLine]
    let site: String
    package let leadsTo: [String]

    /// - Parameters:
    ///   - client: The client's name, as it was registered.
    ///   - scopes: What it asks for, as in the authorization request.
    ///   - redirectURI: Its host, or for an app its scheme, is shown: a name can lie.
    ///   - leadsTo: As of ``SignInPage``.
    package init(form: PageForm, client: String, email: String, scopes: [String], redirectURI: String, leadsTo: [String]) {
        self.form = form
        self.client = client
        self.email = email
        self.scopes = scopes.map(ScopeLine.init)
        self.site = RedirectTarget(redirectURI)?.shown ?? redirectURI
        self.leadsTo = leadsTo
    }
}

/// A scope in words.
struct ScopeLine: Sendable {
    static let known = ["openid", "profile", "email", "offline_access", "wallet"]
    static let otherText = PageText("scope.other")

    let text: PageText
    let name: String

    init(_ scope: String) {
        text = Self.known.contains(scope) ? Self.text(scope) : Self.otherText
        name = scope
    }

    static func text(_ scope: String) -> PageText { PageText("scope.\(scope)") }
}

/// A flow whose time is over: one button starts it again.
package struct ExpiredPage: Page {
    package static let template = "expired"
    let restartURL: String

    /// - Parameter restartURL: Begins anew, by GET.
    package init(restartURL: String) {
        self.restartURL = restartURL
    }
}

/// Asks whether to sign out, where the request doesn't prove that the client means this person.
package struct SignOutPage: Page {
    package static let template = "sign_out"
    let form: PageForm
    let email: String
    let cancelURL: String?
    package let leadsTo: [String]

    /// - Parameters:
    ///   - cancelURL: Where to stay; nil for no such button.
    ///   - leadsTo: As of ``SignInPage``.
    package init(form: PageForm, email: String, cancelURL: String? = nil, leadsTo: [String] = []) {
        self.form = form
        self.email = email
        self.cancelURL = cancelURL
        self.leadsTo = leadsTo
    }
}

/// Says that nobody is signed in any longer.
package struct SignedOutPage: Page {
    package static let template = "signed_out"
    let client: String?
    let returnURL: String?

    /// - Parameters:
    ///   - client: The app to go back to, by name.
    ///   - returnURL: Where it is; nil for no button.
    package init(client: String? = nil, returnURL: String? = nil) {
        self.client = client
        self.returnURL = client == nil ? nil : returnURL
    }
}
