@testable import Identity

/// Every page in every state that it has, for the checks and the gallery.
struct PageSample: Sendable {
    /// Such as `sign-in-wrong`; files and addresses of the gallery are named after it.
    let name: String
    let page: any Page

    private static let form = PageForm(action: "/sent", csrf: "lLx3J0c", flow: "flw_01900000000000000000000000")
    private static let email = "ana@example.com"
    private static let longEmail = "maximiliane.von-hohenstaufen-lichtenberg@departments.verylongcompanyname.example"
    private static let longName = "Association of Independent Neighbourhood Book and Stationery Shops of Northern Bavaria e.V."
    private static let registered = ["https://shop.example/callback", "https://shop.example/", "com.example.shop:/callback"]

    static let all = signIns + secondFactors + consents + registers + mailedCodes + recoveries + messages + signOuts

    static func named(_ name: String) -> PageSample? { all.first { $0.name == name } }

    private static func signIn(_ name: String, _ fault: FormFault? = nil, email: String = email, isAgain: Bool = false) -> PageSample {
        PageSample(
            name: "sign-in\(name)",
            page: SignInPage(
                form: form, client: name == "-long" ? longName : "Corner Shop", email: email, isAgain: isAgain, recoveryURL: "/recovery",
                registerURL: "/register", fault: fault, leadsTo: registered))
    }

    private static let signIns = [
        signIn("", email: ""), signIn("-wrong", .wrongPassword), signIn("-blocked", .blocked(for: .seconds(61))),
        signIn("-blocked-shortly", .blocked(for: .seconds(2))), signIn("-disabled", .disabled), signIn("-busy", .busy),
        signIn("-invalid", .emailInvalid, email: "ana@"), signIn("-again", isAgain: true), signIn("-long", email: longEmail),
    ]

    private static func secondFactor(_ name: String, _ fault: FormFault? = nil, email: String = email, recovery: Bool = false) -> PageSample {
        PageSample(
            name: "second-factor\(name)",
            page: SecondFactorPage(
                form: form, email: email, usesRecoveryCode: recovery, otherURL: "/signin?flow=f", fault: fault, leadsTo: registered))
    }

    private static let secondFactors = [
        secondFactor(""), secondFactor("-wrong", .wrongCode), secondFactor("-recovery", recovery: true),
        secondFactor("-recovery-wrong", .wrongCode, recovery: true), secondFactor("-long", .blocked(for: .seconds(1_800)), email: longEmail),
    ]

    private static let consents = [
        PageSample(
            name: "consent",
            page: ConsentPage(
                form: form, client: "Corner Shop", email: email, scopes: ["openid", "profile", "email", "offline_access", "wallet"],
                redirectURI: registered[0], leadsTo: registered)),
        PageSample(
            name: "consent-long",
            page: ConsentPage(
                form: form, client: longName, email: longEmail, scopes: ["wallet", "ledger:operate"],
                redirectURI: "https://accounts.association-of-independent-neighbourhood-shops.example/callback", leadsTo: registered)),
    ]

    private static func register(_ name: String, _ fault: FormFault? = nil, email: String = email) -> PageSample {
        PageSample(
            name: "register\(name)", page: RegisterPage(form: form, email: email, minimum: 15, signInURL: "/signin", fault: fault))
    }

    private static let registers = [
        register("", email: ""), register("-invalid", .emailInvalid, email: "ana"), register("-short", .passwordShort),
        register("-long", .passwordLong(maximum: 256), email: longEmail), register("-common", .passwordCommon),
        register("-unusable", .passwordUnusable),
    ]

    private static func verify(_ name: String, _ fault: FormFault? = nil, isResent: Bool = false) -> PageSample {
        PageSample(
            name: "verify\(name)",
            page: VerifyPage(form: form, resend: form, email: email, otherAddressURL: "/register", isResent: isResent, fault: fault))
    }

    private static func recoveryCode(_ name: String, _ fault: FormFault? = nil, isResent: Bool = false) -> PageSample {
        PageSample(
            name: "recovery-code\(name)",
            page: RecoveryCodePage(
                form: form, resend: form, email: longEmail, otherAddressURL: "/recovery", isResent: isResent, fault: fault))
    }

    private static let mailedCodes = [
        verify(""), verify("-wrong", .wrongMailedCode), verify("-resent", isResent: true), recoveryCode(""),
        recoveryCode("-wrong", .wrongMailedCode), recoveryCode("-resent", isResent: true),
    ]

    private static let recoveries = [
        PageSample(name: "recovery", page: RecoveryRequestPage(form: form, signInURL: "/signin")),
        PageSample(name: "recovery-invalid", page: RecoveryRequestPage(form: form, email: "ana", signInURL: "/signin", fault: .emailInvalid)),
        PageSample(name: "new-password", page: NewPasswordPage(form: form, email: email, minimum: 15)),
        PageSample(name: "new-password-common", page: NewPasswordPage(form: form, email: longEmail, minimum: 8, fault: .passwordCommon)),
    ]

    private static let messages =
        MessagePage.Kind.allCases.map { PageSample(name: "message-\($0)", page: MessagePage($0, nextURL: "/signin")) }
        + ErrorReason.allCases.map {
            PageSample(name: "error-\($0)", page: ErrorPage($0, reference: "01JDYQ2V7C9S0E6YB3H6Q4W8ZK"))
        } + [PageSample(name: "expired", page: ExpiredPage(restartURL: "/oauth2/authorize"))]

    private static let signOuts = [
        PageSample(name: "sign-out", page: SignOutPage(form: form, email: email, cancelURL: "/")),
        PageSample(name: "signed-out", page: SignedOutPage()),
        PageSample(name: "signed-out-return", page: SignedOutPage(client: "Corner Shop", returnURL: "https://shop.example/")),
        PageSample(name: "signed-out-long", page: SignedOutPage(client: longName, returnURL: "https://shop.example/")),
    ]
}
