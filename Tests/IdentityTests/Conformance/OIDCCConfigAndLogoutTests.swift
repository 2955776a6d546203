import Contracts
import Foundation
import Postgres
import StrictJSON
import Testing

@testable import Identity

/// The modules of `oidcc-config-certification-test-plan` and `oidcc-rp-initiated-logout-certification-test-plan`, by name.
@Suite("OpenID Connect: config and RP-initiated logout OP") struct OIDCCConfigAndLogoutTests {
    private static let returnURL = "https://rp.example/bye"

    @Test("oidcc-discovery-endpoint-verification: what must be there is, under the issuer, and the keys are public ones")
    func discovery() async throws {
        let fixture = try await ConformanceFixture.shared()
        let page = try await fixture.site.browser().get("/.well-known/openid-configuration")
        let metadata = try JSONParser.parse(Array(page.body.utf8))
        #expect(page.status == 200 && metadata["issuer"]?.stringValue == SignInFixture.issuer)
        for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"] {
            #expect(metadata[name]?.stringValue?.hasPrefix(SignInFixture.issuer + "/") == true, "\(name)")
        }
        for (name, value) in [
            ("response_types_supported", "code"), ("subject_types_supported", "public"), ("id_token_signing_alg_values_supported", "ES256"),
            ("scopes_supported", "openid"), ("grant_types_supported", "authorization_code"), ("claims_supported", "sub"),
        ] { #expect(metadata[name]?.arrayValue?.contains(.string(value)) == true, "\(name)") }
        let keys = try JSONParser.parse(Array(try await fixture.site.browser().get("/oauth2/jwks").body.utf8))["keys"]?.arrayValue ?? []
        #expect(!keys.isEmpty && keys.allSatisfy { $0["kid"] != nil && $0["d"] == nil })
    }

    private func logout(
        _ hint: String?, to address: String? = returnURL, state: String? = "s2", client: Bool = false
    ) -> String {
        let fields = [
            hint.map { "id_token_hint=\($0)" }, address.map { "post_logout_redirect_uri=\(TestBrowser.encoded($0))" }, state.map { "state=\($0)" },
            client ? "client_id=oidcc" : nil,
        ].compactMap(\.self)
        return "/oauth2/logout" + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
    }

    /// Whether the browser is still signed in.
    private func isSignedIn(_ who: ConformanceFixture.SignedIn, _ fixture: ConformanceFixture) async throws -> Bool {
        try await who.browser.get(fixture.request("&prompt=none")).query["code"] != nil
    }

    private func hint(_ who: ConformanceFixture.SignedIn, _ fixture: ConformanceFixture) async throws -> String {
        try #require(try await fixture.redeem(who.code).json["id_token"]?.stringValue)
    }

    @Test(
        "with a hint of its own the client signs the person out and gets them back",
        arguments: [
            ("oidcc-rp-initiated-logout", returnURL, "s2" as String?, "\(returnURL)?state=s2"),
            ("oidcc-rp-initiated-logout-no-state", returnURL, nil, returnURL),
            ("oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", "\(returnURL)?a=b", "s2", "\(returnURL)?a=b&state=s2"),
        ])
    func logout(module: String, address: String, state: String?, expected: String) async throws {
        let fixture = try await ConformanceFixture.shared()
        let who = try await fixture.signIn()
        let left = try await who.browser.get(logout(try await hint(who, fixture), to: address, state: state))
        #expect(left.location == expected, "\(module): \(left)")
        #expect(try await !isSignedIn(who, fixture), "\(module)")
    }

    @Test(
        "without a hint that counts nobody is signed out unasked",
        arguments: [
            "oidcc-rp-initiated-logout-bad-id-token-hint", "oidcc-rp-initiated-logout-modified-id-token-hint",
            "oidcc-rp-initiated-logout-no-id-token-hint", "oidcc-rp-initiated-logout-no-params",
        ])
    func asked(module: String) async throws {
        let fixture = try await ConformanceFixture.shared()
        let who = try await fixture.signIn()
        let own = try await hint(who, fixture)
        let target =
            switch module {
            case "oidcc-rp-initiated-logout-bad-id-token-hint": logout("x.y.z")
            case "oidcc-rp-initiated-logout-modified-id-token-hint": logout(own.dropLast(8) + "AAAAAAAA")
            case "oidcc-rp-initiated-logout-no-params": logout(nil, to: nil, state: nil)
            default: logout(nil)
            }
        let page = try await who.browser.get(target)
        #expect(page.status == 200 && page.location == nil, "\(module): \(page)")
        #expect(try await isSignedIn(who, fixture), "\(module)")
    }

    @Test(
        "an address that is not registered, or none, ends at our own page",
        arguments: [
            ("oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", "https://rp.example/other" as String?),
            ("oidcc-rp-initiated-logout-no-post-logout-redirect-uri", nil),
        ])
    func address(module: String, address: String?) async throws {
        let fixture = try await ConformanceFixture.shared()
        let who = try await fixture.signIn()
        let page = try await who.browser.get(logout(try await hint(who, fixture), to: address))
        #expect(page.status == 200 && page.location == nil, "\(module): \(page)")
        #expect(try await !isSignedIn(who, fixture), "\(module)")
    }
}
