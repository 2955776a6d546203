import Foundation
import HTTPTypes

@testable import HTTPService
@testable import Identity

/// What browsers send to the sign-in pages beside their forms.
enum BrowserTarget {
    private static let flows = (UUID(), UUID())
    private static let names: Set<String> = [
        "Unknown browser", "Edge", "Opera", "Samsung Internet", "Firefox", "Chrome", "Safari",
    ]

    /// A secret has one spelling, says nothing of itself, and its form token is good for one flow.
    static func runCookie(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        var headers = HTTPFields()
        headers[.cookie] = text
        guard let value = try? BrowserOrigin.cookie(BrowserCookie.session.rawValue, in: headers) else { return }
        try BrokenProperty.unless(!value.isEmpty && !value.contains(";"), "more than a value")
        guard let secret = BrowserSecret(value) else { return }
        try BrokenProperty.unless(secret.text == value, "a second spelling")
        try BrokenProperty.unless(!"\(secret) \(String(reflecting: secret))".contains(value), "a description with the secret")
        let token = secret.formToken(of: flows.0)
        try BrokenProperty.unless(secret.isFormToken(token, of: flows.0), "its own token is none")
        try BrokenProperty.unless(!secret.isFormToken(token, of: flows.1), "a token of another flow")
        try BrokenProperty.unless(!secret.isFormToken(value, of: flows.0), "the secret as a token")
        let field = BrowserCookie.session.field(secret).value
        try BrokenProperty.unless(field.hasPrefix("\(BrowserCookie.session.rawValue)=\(value); Path=/; Secure"), "another cookie is set")
    }

    /// Lines: `User-Agent`, `Accept-Language`, `florin-client`. What is made of them is words and networks of our own.
    static func runHeaders(_ bytes: [UInt8]) throws(BrokenProperty) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let browser = BrowserName.of(lines[0])
        try BrokenProperty.unless(names.contains(browser.components(separatedBy: " on ")[0]), "a browser of its own naming: \(browser)")
        guard lines.count == 3 else { return }
        var headers = HTTPFields()
        headers[.acceptLanguage] = lines[1]
        _ = PageLanguage(uiLocales: lines[1], headers: headers)
        headers[HTTPField.Name("florin-client")!] = lines[2]
        let network = ClientNetwork.of(headers)
        guard network != ClientNetwork.unknown else { return }
        let parts = network.components(separatedBy: "/")
        try BrokenProperty.unless(parts.count == 2 && ["24", "64"].contains(parts[1]) && network.utf8.count <= 30, "no network: \(network)")
        headers[HTTPField.Name("florin-client")!] = "ip=\"\(parts[0])\""
        try BrokenProperty.unless(ClientNetwork.of(headers) == network, "\(network) is in another network")
        guard parts[1] == "24" else { return }
        headers[HTTPField.Name("florin-client")!] = "ip=\"::ffff:\(parts[0])\""
        try BrokenProperty.unless(ClientNetwork.of(headers) == network, "\(network) is another one when it is mapped into IPv6")
    }
}
