import Contracts
import HTTPService
import HTTPTypes

/// Recovery in a browser: the address, the mailed code, the second factor where there is one, the new password. Each step has a page, which
/// shows where the flow stands whatever address it was asked by.
struct RecoveryPages {
    let issuer: String
    let pages: PageRenderer
    let recover: RecoverAccount
    let flows: MailedFlows

    var endpoints: [Endpoint] {
        let own = PublicAccess.public(from: issuer)
        func post(_ path: String, _ handler: @escaping Endpoint.Handler<Anybody>) -> Endpoint {
            Endpoint(.post, path, access: own, body: .form, bodyLimit: RegistrationPages.formLimit, takesQuery: true, handler: handler)
        }
        return [
            Endpoint(.get, "/recovery", access: .public, takesQuery: true, handler: start), post("/recovery", request),
            Endpoint(.get, "/recovery/step", access: .public, takesQuery: true, handler: step), post("/recovery/code", code),
            post("/recovery/resend", again), post("/recovery/second-factor", secondFactor), post("/recovery/password", password),
        ].map { $0.showingRefusals(pages.refusal) }
    }

    private func start(_ request: PublicRequest) throws -> Answer { page(try AccountVisit(request)) }

    private func page(_ visit: AccountVisit, email: String = "", _ fault: AccountFault? = nil) -> Answer {
        pages.answer(
            RecoveryRequestPage(form: visit.form("/recovery"), email: email, signInURL: visit.signInPath, fault: fault?.fault),
            in: visit.language, fault?.status ?? .ok, extraHeaders: visit.cookies + (fault?.headers ?? []))
    }

    private func request(_ request: PublicRequest) async throws -> Answer {
        let (visit, form) = (try AccountVisit(request), try request.form())
        guard visit.isOwn(form) else { return visit.redirect(to: visit.path("/recovery")) }
        let email = form["email"] ?? ""
        do {
            let begun = try await flows.beginRecovery(RecoveryRequest(email: email), visit.facts)
            return visit.redirect(to: visit.path("/recovery/step"), holding: begun.handle)
        } catch {
            guard let fault = AccountFault(error, wrong: .wrongMailedCode) else { throw error }
            return page(visit, email: email, fault)
        }
    }

    // MARK: where it stands

    private func step(_ request: PublicRequest) async throws -> Answer { try await step(try AccountVisit(request)) }

    private func step(_ visit: AccountVisit, _ fault: AccountFault? = nil) async throws -> Answer {
        guard let flow = try await flows.find(.recovery, handle: visit.secret, visit.facts) else {
            return pages.answer(ExpiredPage(restartURL: visit.path("/recovery")), in: visit.language)
        }
        let (status, headers) = (fault?.status ?? .ok, fault?.headers ?? [])
        switch flow.state {
        case .code:
            return pages.answer(
                RecoveryCodePage(
                    form: visit.form("/recovery/code", of: flow.id), resend: visit.form("/recovery/resend", of: flow.id), email: flow.email,
                    otherAddressURL: visit.path("/recovery"), isResent: visit.isResent, fault: fault?.fault),
                in: visit.language, status, extraHeaders: headers)
        case .secondFactor:
            let (kind, other) = visit.usesRecoveryCode ? ("with=recovery_code", nil) : (nil, "with=recovery_code")
            return pages.answer(
                SecondFactorPage(
                    form: visit.form("/recovery/second-factor", of: flow.id, kind), email: flow.email, usesRecoveryCode: visit.usesRecoveryCode,
                    otherURL: visit.path("/recovery/step", other), fault: fault?.fault, leadsTo: []),
                in: visit.language, status, extraHeaders: headers)
        case .newPassword:
            guard let proven = try? await recover.proven(visit.secret.text, at: .newPassword, visit.facts) else {
                return pages.answer(ExpiredPage(restartURL: visit.path("/recovery")), in: visit.language)
            }
            let minimum = proven.hasSecondFactor ? NewPassword.minimumBesideSecondFactor : NewPassword.minimumAlone
            return pages.answer(
                NewPasswordPage(form: visit.form("/recovery/password", of: flow.id), email: flow.email, minimum: minimum, fault: fault?.fault),
                in: visit.language, status, extraHeaders: headers)
        case .finished: return pages.answer(MessagePage(.passwordChanged, nextURL: visit.signInPath), in: visit.language)
        }
    }

    // MARK: what is entered

    private func code(_ request: PublicRequest) async throws -> Answer {
        try await entered(request, wrong: .wrongMailedCode) { form, visit in
            _ = try await recover.enterCode(form["code"] ?? "", handle: visit.secret.text, visit.facts)
        }
    }

    private func secondFactor(_ request: PublicRequest) async throws -> Answer {
        try await entered(request, wrong: .wrongCode) { form, visit in
            try await recover.enterSecondFactor(form["code"] ?? "", handle: visit.secret.text, visit.facts)
        }
    }

    private func password(_ request: PublicRequest) async throws -> Answer {
        try await entered(request, wrong: .wrongMailedCode) { form, visit in
            try await recover.setPassword(form["password"] ?? "", handle: visit.secret.text, visit.facts)
        }
    }

    private func again(_ request: PublicRequest) async throws -> Answer {
        try await entered(request, wrong: .wrongMailedCode, leadingTo: "resent=1") { _, visit in
            try await flows.resend(.recovery, handle: visit.secret, visit.facts)
        }
    }

    /// Whatever was entered, the next page is that of the step where the flow stands then: a second click changes nothing.
    private func entered(
        _ request: PublicRequest, wrong: FormFault, leadingTo more: String? = nil, _ enter: (Form, AccountVisit) async throws -> Void
    ) async throws -> Answer {
        let (visit, form) = (try AccountVisit(request), try request.form())
        guard let flow = try await flows.find(.recovery, handle: visit.secret, visit.facts), visit.isOwn(form, of: flow.id) else {
            return visit.redirect(to: visit.path("/recovery/step"))
        }
        do {
            try await enter(form, visit)
            return visit.redirect(to: visit.path("/recovery/step", more))
        } catch {
            guard let fault = AccountFault(error, wrong: wrong) else { throw error }
            return try await step(visit, fault)
        }
    }
}
