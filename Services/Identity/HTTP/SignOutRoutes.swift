import Contracts
import FoundationEssentials
import HTTPService
import HTTPTypes
import Observability

/// The end of a browser's session: the endpoint that clients send it to, and the page that asks.
struct SignOutRoutes {
    let issuer: String
    let pages: PageRenderer
    let signOut: SignOut

    private static let path = "/oauth2/logout"

    var endpoints: [Endpoint] {
        let own = PublicAccess.public(from: issuer)
        return [
            Endpoint(.get, Self.path, access: .public, takesQuery: true, handler: logout),
            Endpoint(.post, Self.path, access: .public, body: .form, handler: logoutByForm),
            Endpoint(.post, "/signout", access: own, body: .form, takesQuery: true, handler: confirmation),
        ].map { $0.showingRefusals(pages.refusal) }
    }

    private func logout(_ request: PublicRequest) async throws -> Answer {
        let parameters = try OAuthParameters(query: request.query)
        return answer(try await signOut(parameters, for: try BrowserVisit(request)), parameters, request)
    }

    private func logoutByForm(_ request: PublicRequest) throws -> Answer { try GetInstead.of(request, at: Self.path) }

    private func confirmation(_ request: PublicRequest) async throws -> Answer {
        let parameters = try OAuthParameters(query: request.query)
        let token = try request.form()["csrf"] ?? ""
        return answer(try await signOut.confirmed(parameters, token: token, for: try BrowserVisit(request)), parameters, request)
    }

    private func answer(_ turn: SignOutTurn, _ parameters: OAuthParameters, _ request: PublicRequest) -> Answer {
        let language = PageLanguage(uiLocales: parameters["ui_locales"], headers: request.headers)
        switch turn {
        case .done(let asked):
            let headers = [BrowserCookie.session.cleared]
            if let url = asked.returnURL { return .redirect(to: url, extraHeaders: [.noStore] + headers) }
            let page = SignedOutPage(client: asked.client?.name, returnURL: asked.client?.origins.first)
            return pages.answer(page, in: language, extraHeaders: headers)
        case .ask(let asked, let live, let owner):
            // Not the hint, which did not fit: the page's own form proves more.
            let carried = [("client_id", asked.client?.id)] + ["post_logout_redirect_uri", "state", "ui_locales"].map { ($0, parameters[$0]) }
            let query = carried.compactMap { name, value in value.map { "\(name)=\(AnswerAddress.encoded($0))" } }.joined(separator: "&")
            let leadsTo = asked.client.map { $0.postLogoutRedirectURIs + $0.redirectURIs + $0.origins } ?? []
            return pages.answer(
                SignOutPage(
                    form: PageForm(action: "/signout?\(query)", csrf: owner.formToken(of: live.id)), email: live.email,
                    cancelURL: asked.client?.origins.first, leadsTo: leadsTo), in: language)
        }
    }
}
