import Contracts
import HTTPService
import HTTPTypes
import Observability

/// The authorization endpoint, and the pages by which a person answers it.
struct SignInRoutes {
    let issuer: String
    let pages: PageRenderer
    let steps: SignInSteps
    let enterPassword: EnterPassword
    let enterSecondFactor: EnterSecondFactor
    let giveConsent: GiveConsent

    /// A page's form is as small as what is typed into it.
    private static let formLimit = 16_384

    var endpoints: [Endpoint] {
        let own = PublicAccess.public(from: issuer)
        return [
            Endpoint(.get, "/oauth2/authorize", access: .public, takesQuery: true, handler: authorize),
            Endpoint(.post, "/oauth2/authorize", access: .public, body: .form, handler: authorizeByForm),
            Endpoint(.get, "/signin", access: .public, takesQuery: true, handler: step),
            Endpoint(.get, "/signin/restart", access: .public, takesQuery: true, handler: restart),
            Endpoint(.post, "/signin/password", access: own, body: .form, bodyLimit: Self.formLimit, handler: password),
            Endpoint(.post, "/signin/code", access: own, body: .form, bodyLimit: Self.formLimit, takesQuery: true, handler: code),
            Endpoint(.post, "/signin/consent", access: own, body: .form, bodyLimit: Self.formLimit, handler: consent),
        ].map { $0.showingRefusals(pages.refusal) }
    }

    private func authorize(_ request: PublicRequest) async throws -> Answer {
        let parameters = try OAuthParameters(query: request.query)
        return try await answer(request) { try await steps.begin(parameters, for: $0) }
    }

    /// A form of another site's page comes without our cookies (`SameSite=Lax`); the address that it leads to is opened with them.
    private func authorizeByForm(_ request: PublicRequest) throws -> Answer { try GetInstead.of(request, at: "/oauth2/authorize") }

    private func step(_ request: PublicRequest) async throws -> Answer {
        let query = try OAuthParameters(query: request.query)
        return try await answer(request, usesRecoveryCode: query["with"] == Self.recoveryCode) { visit in
            guard let id = query.flow else { return .unknown }
            return try await steps.show(id, for: visit)
        }
    }

    private func restart(_ request: PublicRequest) async throws -> Answer {
        let query = try OAuthParameters(query: request.query)
        return try await answer(request) { visit in
            guard let id = query.flow else { return .unknown }
            return try await steps.restart(id, for: visit)
        }
    }

    private func password(_ request: PublicRequest) async throws -> Answer {
        let form = try request.form()
        return try await answer(request) { visit in
            guard let id = form.flow else { return .unknown }
            return try await enterPassword(form["password"] ?? "", for: form["email"] ?? "", of: id, token: form["csrf"] ?? "", visit)
        }
    }

    private func code(_ request: PublicRequest) async throws -> Answer {
        let (form, query) = (try request.form(), try OAuthParameters(query: request.query))
        return try await answer(request, usesRecoveryCode: query["with"] == Self.recoveryCode) { visit in
            guard let id = form.flow else { return .unknown }
            return try await enterSecondFactor(form["code"] ?? "", of: id, token: form["csrf"] ?? "", visit)
        }
    }

    private func consent(_ request: PublicRequest) async throws -> Answer {
        let form = try request.form()
        return try await answer(request) { visit in
            guard let id = form.flow else { return .unknown }
            return try await giveConsent(form["decision"] == "allow", of: id, token: form["csrf"] ?? "", visit)
        }
    }

    // MARK: what a browser gets

    /// What the second factor's page is asked by for the other kind of code.
    static let recoveryCode = "recovery_code"

    private func answer(
        _ request: PublicRequest, usesRecoveryCode: Bool = false, _ turn: (BrowserVisit) async throws -> SignInTurn
    ) async throws -> Answer {
        let visit = try BrowserVisit(request)
        do {
            switch try await turn(visit) {
            case .toStep(let flow, let secret):
                return .redirect(to: SignInPaths.step(flow.id), extraHeaders: [.noStore] + (secret.map { [BrowserCookie.flow.field($0)] } ?? []))
            case .page(let view, let refusal): return page(view, refusal, request, usesRecoveryCode)
            case .leave(let answer):
                let cookies = [answer.session.map(BrowserCookie.session.field), answer.device.map(BrowserCookie.device.field)].compactMap { $0 }
                return .redirect(to: answer.location, extraHeaders: [.noStore] + cookies)
            case .expired(let flow):
                return pages.answer(ExpiredPage(restartURL: SignInPaths.restart(flow.id)), in: language(flow.request, request))
            case .unknown: throw Problem(ProblemCode.notFound)
            }
        } catch let fault as AuthorizationFault {
            switch fault {
            case .page:
                return pages.answer(
                    ErrorPage(.request, reference: request.requestID.text), in: PageLanguage(headers: request.headers), .badRequest)
            case .redirect(let error, let address): return .redirect(to: address.location(error, issuer: issuer), extraHeaders: [.noStore])
            }
        }
    }

    private func page(_ view: SignInView, _ refusal: CredentialRefusal?, _ request: PublicRequest, _ usesRecoveryCode: Bool) -> Answer {
        let (flow, client) = (view.flow, view.client)
        let leadsTo = [flow.request.redirectURI].compactMap { $0 } + client.redirectURIs + client.postLogoutRedirectURIs + client.origins
        func form(_ action: String) -> PageForm {
            PageForm(action: action, csrf: view.owner.formToken(of: flow.id.uuid), flow: flow.id.description)
        }
        let language = language(flow.request, request)
        let (status, headers) = (refusal?.pageStatus ?? .ok, refusal?.pageHeaders ?? [])
        switch flow.progress.step {
        case .secondFactor:
            return pages.answer(
                SecondFactorPage(
                    form: form("/signin/code" + (usesRecoveryCode ? "?with=\(Self.recoveryCode)" : "")), email: view.email ?? "",
                    usesRecoveryCode: usesRecoveryCode,
                    otherURL: SignInPaths.step(flow.id) + (usesRecoveryCode ? "" : "&with=\(Self.recoveryCode)"),
                    fault: refusal.map { FormFault($0, wrong: .wrongCode) }, leadsTo: leadsTo), in: language, status, extraHeaders: headers)
        case .consent:
            return pages.answer(
                ConsentPage(
                    form: form("/signin/consent"), client: client.name, email: view.email ?? "", scopes: flow.request.scopes,
                    redirectURI: flow.request.redirectURI ?? "", leadsTo: leadsTo), in: language, status, extraHeaders: headers)
        case .password, .finished, .refused:
            return pages.answer(
                SignInPage(
                    form: form("/signin/password"), client: client.name, email: view.email ?? "", isAgain: view.isAgain,
                    recoveryURL: SignInPaths.recovery(flow.id), registerURL: SignInPaths.register(flow.id),
                    fault: refusal.map { FormFault($0, wrong: .wrongPassword) }, leadsTo: leadsTo), in: language, status, extraHeaders: headers)
        }
    }

    private func language(_ asked: AuthorizationRequest, _ request: PublicRequest) -> PageLanguage {
        PageLanguage(uiLocales: asked.uiLocales.joined(separator: " "), headers: request.headers)
    }
}
