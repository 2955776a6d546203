import Contracts
import HTTPService
import HTTPTypes

/// Registration in a browser: an address and a password, then the mailed code. No page tells whether an address has an account.
struct RegistrationPages {
    let issuer: String
    let pages: PageRenderer
    let register: RegisterUser
    let verifyEmail: VerifyEmail
    let flows: MailedFlows

    /// A page's form is as small as what is typed into it.
    static let formLimit = 16_384

    var endpoints: [Endpoint] {
        let own = PublicAccess.public(from: issuer)
        return [
            Endpoint(.get, "/register", access: .public, takesQuery: true, handler: start),
            Endpoint(.post, "/register", access: own, body: .form, bodyLimit: Self.formLimit, takesQuery: true, handler: registration),
            Endpoint(.get, "/verify", access: .public, takesQuery: true, handler: codePage),
            Endpoint(.post, "/verify", access: own, body: .form, bodyLimit: Self.formLimit, takesQuery: true, handler: verification),
            Endpoint(.post, "/verify/resend", access: own, body: .form, bodyLimit: Self.formLimit, takesQuery: true, handler: again),
        ].map { $0.showingRefusals(pages.refusal) }
    }

    private func start(_ request: PublicRequest) throws -> Answer { page(try AccountVisit(request)) }

    private func page(_ visit: AccountVisit, email: String = "", _ fault: AccountFault? = nil) -> Answer {
        pages.answer(
            RegisterPage(
                form: visit.form("/register"), email: email, minimum: NewPassword.minimumAlone, signInURL: visit.signInPath, fault: fault?.fault),
            in: visit.language, fault?.status ?? .ok, extraHeaders: visit.cookies + (fault?.headers ?? []))
    }

    private func registration(_ request: PublicRequest) async throws -> Answer {
        let (visit, form) = (try AccountVisit(request), try request.form())
        // A form of a browser that lost its cookie, or that was open before another began: it begins anew.
        guard visit.isOwn(form) else { return visit.redirect(to: visit.path("/register")) }
        let email = form["email"] ?? ""
        do {
            let begun = try await register(
                RegisterUserRequest(email: email, password: form["password"] ?? "", locale: visit.language.rawValue), visit.facts)
            return visit.redirect(to: visit.path("/verify"), holding: begun.handle)
        } catch {
            guard let fault = AccountFault(error, wrong: .wrongMailedCode) else { throw error }
            return page(visit, email: email, fault)
        }
    }

    private func codePage(_ request: PublicRequest) async throws -> Answer { try await codePage(try AccountVisit(request)) }

    private func codePage(_ visit: AccountVisit, _ fault: AccountFault? = nil) async throws -> Answer {
        guard let flow = try await flows.find(.registration, handle: visit.secret, visit.facts) else {
            return pages.answer(ExpiredPage(restartURL: visit.path("/register")), in: visit.language)
        }
        guard flow.state == .code else {
            return pages.answer(MessagePage(.accountReady, nextURL: visit.signInPath), in: visit.language)
        }
        return pages.answer(
            VerifyPage(
                form: visit.form("/verify", of: flow.id), resend: visit.form("/verify/resend", of: flow.id), email: flow.email,
                otherAddressURL: visit.path("/register"), isResent: visit.isResent, fault: fault?.fault),
            in: visit.language, fault?.status ?? .ok, extraHeaders: fault?.headers ?? [])
    }

    private func verification(_ request: PublicRequest) async throws -> Answer {
        let (visit, form) = (try AccountVisit(request), try request.form())
        guard let flow = try await flows.find(.registration, handle: visit.secret, visit.facts), visit.isOwn(form, of: flow.id) else {
            return visit.redirect(to: visit.path("/verify"))
        }
        do {
            _ = try await verifyEmail(VerifyEmailRequest(flow: visit.secret.text, code: form["code"] ?? ""), visit.facts)
            return visit.redirect(to: visit.path("/verify"))
        } catch {
            guard let fault = AccountFault(error, wrong: .wrongMailedCode) else { throw error }
            return try await codePage(visit, fault)
        }
    }

    private func again(_ request: PublicRequest) async throws -> Answer {
        let (visit, form) = (try AccountVisit(request), try request.form())
        guard let flow = try await flows.find(.registration, handle: visit.secret, visit.facts), visit.isOwn(form, of: flow.id) else {
            return visit.redirect(to: visit.path("/verify"))
        }
        try await flows.resend(.registration, handle: visit.secret, visit.facts)
        return visit.redirect(to: visit.path("/verify", "resent=1"))
    }
}
