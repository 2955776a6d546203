/// A page: its members are what its template shows, by the same names.
package protocol Page: Sendable {
    /// The template's name, without folder and ending.
    static var template: String { get }
    /// Addresses that the form's answer may lead on to, beside our own: the browser has to be allowed to follow.
    var leadsTo: [String] { get }
}

extension Page {
    package var leadsTo: [String] { [] }
}

/// Where a page's form goes, and what it brings along unseen.
package struct PageForm: Sendable {
    let action: String
    let csrf: String
    let flow: String?

    /// - Parameters:
    ///   - action: Below the own origin, such as `/signin`.
    ///   - csrf: The flow's token, returned as the field `csrf`.
    ///   - flow: The flow's id, returned as the field `flow`.
    package init(action: String, csrf: String, flow: String? = nil) {
        self.action = action
        self.csrf = csrf
        self.flow = flow
    }
}

/// All of them, for the checks at the start.
enum Pages {
    static let all: [any Page.Type] = [
        SignInPage.self, SecondFactorPage.self, ConsentPage.self, RegisterPage.self, VerifyPage.self, RecoveryRequestPage.self,
        RecoveryCodePage.self, NewPasswordPage.self, MessagePage.self, ErrorPage.self, ExpiredPage.self, SignOutPage.self, SignedOutPage.self,
    ]
}
