package import Contracts
import Crypto
import FoundationEssentials
package import HTTPService
package import HTTPTypes
import Mustache

/// Makes pages of templates and texts, and the headers that keep them what they are.
package struct PageRenderer: Sendable {
    private let libraries: [PageLanguage: MustacheLibrary]
    private let style: String
    /// Of a page from which no form leads to a client.
    private let policy: String
    private let host: String

    /// - Parameters:
    ///   - directory: The folder of `templates`, `texts` and `style.css`.
    ///   - issuer: The configured issuer; its host is shown on every page.
    /// - Throws: ``PageSourceFault``, for a text, template or file that is missing or can't be read.
    package init(directory: String, issuer: String) throws(PageSourceFault) {
        let sources = try PageSources(directory: directory)
        var libraries: [PageLanguage: MustacheLibrary] = [:]
        for language in PageLanguage.allCases { libraries[language] = try sources.library(in: language) }
        self.libraries = libraries
        style = sources.style
        let hash = Data(SHA256.hash(data: Data(sources.style.utf8))).base64EncodedString()
        policy = "default-src 'none'; style-src 'sha256-\(hash)'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        host = RedirectTarget(issuer)?.shown ?? issuer
    }

    /// A page as the answer to a request.
    package func answer(
        _ page: some Page, in language: PageLanguage, _ status: HTTPResponse.Status = .ok, extraHeaders: [HTTPField] = []
    ) -> Answer {
        .html(render(page, in: language), status, extraHeaders: headers(of: page) + extraHeaders)
    }

    /// A refusal as a page, for an endpoint's ``Endpoint/showingRefusals(_:)``.
    package func refusal(_ problem: Problem, _ requestHeaders: HTTPFields) -> Answer {
        answer(
            ErrorPage(ErrorReason(problem), reference: problem.instance ?? ""), in: PageLanguage(headers: requestHeaders), .init(code: problem.status)
        )
    }

    func render<Shown: Page>(_ page: Shown, in language: PageLanguage) -> String {
        let frame = Frame(language: language.rawValue, style: style, host: host, page: page)
        guard let text = libraries[language]?.render(frame, withTemplate: Shown.template) else {
            preconditionFailure("\(Shown.template) was there at the start")
        }
        return text
    }

    /// What the layout shows around a page.
    private struct Frame<Shown: Page> {
        let language: String
        let style: String
        let host: String
        let page: Shown
    }

    private func headers(of page: some Page) -> [HTTPField] {
        [
            HTTPField(name: .contentSecurityPolicy, value: policy(of: page)),
            HTTPField(name: .cacheControl, value: "no-store"),
            // Not `no-referrer`, with which the forms' own `Origin` would be `null`.
            HTTPField(name: .referrerPolicy, value: "same-origin"),
            HTTPField(name: .xContentTypeOptions, value: "nosniff"),
            HTTPField(name: .crossOriginOpenerPolicy, value: "same-origin"),
            HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
        ]
    }

    /// Chromium holds a form's whole chain of redirects against `form-action`.
    private func policy(of page: some Page) -> String {
        ([policy] + Set(page.leadsTo.compactMap { RedirectTarget($0)?.policySource }).sorted()).joined(separator: " ")
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("referrer-policy")!
    static let crossOriginOpenerPolicy = HTTPField.Name("cross-origin-opener-policy")!
}
