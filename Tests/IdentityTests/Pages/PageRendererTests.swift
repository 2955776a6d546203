import Contracts
import Crypto
import Foundation
import HTTPService
import HTTPTypes
import Testing

@testable import Identity

@Suite struct PageRendererTests {
    private let renderer: PageRenderer

    init() throws { renderer = try PageFolder.renderer() }

    private func policy(_ page: any Page) -> String? { header(.contentSecurityPolicy, page) }

    private func header(_ name: HTTPField.Name, _ page: any Page) -> String? {
        renderer.answer(page, in: .english).extraHeaders.first { $0.name == name }?.value
    }

    private func signIn(client: String = "Shop", email: String = "", fault: FormFault? = nil, leadsTo: [String] = []) -> SignInPage {
        SignInPage(
            form: PageForm(action: "/signin", csrf: "c", flow: "f"), client: client, email: email, recoveryURL: nil, registerURL: nil, fault: fault,
            leadsTo: leadsTo)
    }

    @Test func `the policy names the stylesheet that the page has, and nothing else that could run`() throws {
        for sample in PageSample.all {
            let html = renderer.render(sample.page, in: .english)
            let style = try #require(html.firstMatch(of: /<style>([\s\S]*?)<\/style>/)?.1)
            let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
            let policy = try #require(self.policy(sample.page))
            #expect(policy.contains("default-src 'none'; style-src 'sha256-\(hash)';"), "\(sample.name)")
            #expect(policy.contains("base-uri 'none'") && policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("script-src"))
        }
    }

    @Test func `a form leads to its own origin, and to the client's where it ends there, each named once`() throws {
        #expect(try #require(policy(signIn())).hasSuffix("; form-action 'self'"))
        #expect(try #require(policy(signIn(leadsTo: ["https://rp.example:8443/cb?x=1"]))).hasSuffix("; form-action 'self' https://rp.example:8443"))
        let registered = ["https://rp.example/cb", "https://rp.example/", "https://app.example"]
        #expect(try #require(policy(signIn(leadsTo: registered))).hasSuffix("; form-action 'self' https://app.example https://rp.example"))
        #expect(try #require(policy(signIn(leadsTo: ["com.example.app:/cb"]))).hasSuffix("; form-action 'self' com.example.app:"))
        #expect(try #require(policy(signIn(leadsTo: ["https://rp.example; script-src *"]))).hasSuffix("; form-action 'self'"))
    }

    @Test func `pages are kept nowhere, framed by nobody and named to no other site`() {
        #expect(header(.cacheControl, signIn()) == "no-store")
        // With no-referrer the forms' own Origin would be null, and their own posts refused.
        #expect(header(HTTPField.Name("referrer-policy")!, signIn()) == "same-origin")
        #expect(header(.xContentTypeOptions, signIn()) == "nosniff")
        #expect(header(HTTPField.Name("cross-origin-opener-policy")!, signIn()) == "same-origin")
        #expect(header(.crossOriginResourcePolicy, signIn()) == "same-origin")
    }

    @Test func `whatever comes from outside is text, in elements, attributes and inside sentences`() {
        let hostile = #"'"><script>alert(1)</script>&{{csrf}}"#
        let form = PageForm(action: hostile, csrf: hostile, flow: hostile)
        let pages: [any Page] = [
            SignInPage(form: form, client: hostile, email: hostile, recoveryURL: hostile, registerURL: hostile, leadsTo: [hostile]),
            SecondFactorPage(form: form, email: hostile, otherURL: hostile, leadsTo: []),
            ConsentPage(form: form, client: hostile, email: hostile, scopes: [hostile], redirectURI: hostile, leadsTo: []),
            RegisterPage(form: form, email: hostile, minimum: 15, signInURL: hostile),
            VerifyPage(form: form, resend: form, email: hostile, otherAddressURL: hostile),
            RecoveryRequestPage(form: form, email: hostile, signInURL: hostile),
            RecoveryCodePage(form: form, resend: form, email: hostile, otherAddressURL: hostile),
            NewPasswordPage(form: form, email: hostile, minimum: 15), MessagePage(.accountReady, nextURL: hostile),
            ErrorPage(.request, reference: hostile), ExpiredPage(restartURL: hostile), SignOutPage(form: form, email: hostile, cancelURL: hostile),
            SignedOutPage(client: hostile, returnURL: hostile),
        ]
        #expect(pages.count == Pages.all.count)
        for page in pages {
            for language in PageLanguage.allCases {
                let html = renderer.render(page, in: language)
                #expect(!html.contains("<script") && !html.contains(#"'">"#), "\(page)")
                #expect(html.contains("&#39;&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;{{csrf}}"), "\(page)")
            }
        }
    }

    @Test func `a refusal is a page in the browser's language, with the problem's status and the request's id`() {
        var problem = Problem(.crossSiteRequest)
        problem.instance = "req-7"
        let headers: HTTPFields = [.acceptLanguage: "de-CH,de;q=0.9"]
        let answer = renderer.refusal(problem, headers)
        #expect(answer.status == .forbidden)
        #expect(answer.extraHeaders.contains { $0.name == .contentSecurityPolicy })
        let html = renderer.render(ErrorPage(ErrorReason(problem), reference: "req-7"), in: PageLanguage(headers: headers))
        #expect(html.contains(#"<html lang="de">"#) && html.contains("<dd>req-7</dd>"))
    }

    @Test(arguments: [
        (ProblemCode.crossSiteRequest, ErrorReason.form), (.malformedRequest, .form), (.unsupportedMediaType, .form), (.bodyTooLarge, .form),
        (.notFound, .notFound), (.rateLimited, .busy), (.overloaded, .busy), (.unavailable, .busy), (.internalError, .internal),
    ])
    func `a problem is one of five reasons`(code: ProblemCode, reason: ErrorReason) {
        #expect(ErrorReason(Problem(code)) == reason)
    }

    @Test(arguments: [(1, "Wait a minute"), (60, "Wait a minute"), (61, "Wait 2 minutes"), (1_800, "Wait 30 minutes")])
    func `how long to wait is said in whole minutes`(seconds: Int, words: String) {
        #expect(renderer.render(signIn(fault: .blocked(for: .seconds(seconds))), in: .english).contains(words))
    }
}

@Suite struct RedirectTargetTests {
    @Test(arguments: [
        ("https://rp.example/cb", "https://rp.example", "rp.example"), ("https://rp.example", "https://rp.example", "rp.example"),
        ("https://rp.example:8443?x", "https://rp.example:8443", "rp.example:8443"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:51004", "127.0.0.1:51004"), ("http://[::1]:9/cb", "http:", "[::1]:9"),
        ("com.example.app:/cb", "com.example.app:", "com.example.app"), ("COM.Example:cb", "com.example:", "com.example"),
    ])
    func `what a redirect URI leads to`(uri: String, source: String, shown: String) {
        let target = RedirectTarget(uri)
        #expect(target?.policySource == source)
        #expect(target?.shown == shown)
    }

    @Test(arguments: [
        "", "rp.example", "/cb", "https:rp.example", "https://", "https:///cb", "https://a@b.example/", "https://rp.example; script-src *",
        "https://rp.example,x", "https://rp example", "javascript:alert(1)", "data:text/html,x", "com.exa mple:/cb", "1a.b:/", "https://*.example",
    ])
    func `what none can lead to`(uri: String) {
        #expect(RedirectTarget(uri) == nil)
    }
}

@Suite struct PageLanguageTests {
    @Test(arguments: [
        (nil, nil, PageLanguage.english), (nil, "de", .german), (nil, "de-AT, en;q=0.9", .german), (nil, "en;q=0.5, de;q=0.7", .german),
        (nil, "fr, de;q=0.1", .german), (nil, "fr", .english), (nil, "*", .english), (nil, "de;q=0, en", .english), (nil, "de;q=x", .english),
        (nil, "en, de", .english), (nil, "DE ; q=1", .german), (nil, "deu", .english), (nil, "", .english),
        ("de", "en", .german), ("fr-CA de-DE en", "en", .german), ("fr", "de", .german), ("", "de", .german), ("de", nil, .german),
    ])
    func `the request's languages come first, then the browser's, then English`(uiLocales: String?, accepted: String?, language: PageLanguage) {
        var headers = HTTPFields()
        if let accepted { headers[.acceptLanguage] = accepted }
        #expect(PageLanguage(uiLocales: uiLocales, headers: headers) == language)
    }

    @Test func `a field with thousands of languages is read in part`() {
        #expect(PageLanguage(headers: [.acceptLanguage: String(repeating: "fr,", count: 5_000) + "de"]) == .english)
    }
}
