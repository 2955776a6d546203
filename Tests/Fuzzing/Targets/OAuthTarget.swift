import Contracts
import Foundation
import HTTPTypes

@testable import HTTPService
@testable import Identity

/// What clients send to the provider.
enum OAuthTarget {
    private static let registered = ["https://rp.example/cb?a=b", "http://127.0.0.1/cb", "com.example.app:/cb"]
    private static let client = OAuthClient(
        id: "rp-1", name: "Relying party", isConfidential: true, redirectURIs: registered, grants: [.authorizationCode],
        scopes: ["openid", "wallet", "ledger:operate", "ledger:read"])

    /// A request that is read goes nowhere but to a registered address, asks for nothing that the client is not registered for, and its
    /// state comes back as it went.
    static func runRequest(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let fields = try? Form.fields(of: bytes) else { return }
        guard let address = try address(of: OAuthParameters(fields)) else { return }
        try BrokenProperty.unless(isOurs(address.redirectURI), "an address that nobody registered")
        let location = address.location(code: "c&=%", issuer: "https://id.example")
        let query = location.utf8.dropFirst(address.redirectURI.utf8.count + 1)
        guard let answer = try? Form.fields(of: query) else { throw BrokenProperty(description: "an answer that can't be read") }
        try BrokenProperty.unless(answer.first { $0.name == "code" }?.value == "c&=%", "another code")
        let state = answer.first { $0.name == "state" }?.value
        try BrokenProperty.unless(state.map { Array($0.utf8) } == address.state.map { Array($0.utf8) }, "another state")
    }

    /// Where the answer goes, a code or an error.
    private static func address(of parameters: OAuthParameters) throws(BrokenProperty) -> AnswerAddress? {
        let read: Result<AuthorizationRequest, AuthorizationFault>
        do throws(AuthorizationFault) {
            read = .success(try AuthorizationRequest(parameters, client: client))
        } catch {
            read = .failure(error)
        }
        switch read {
        case .success(let request):
            try check(request)
            return request.answerAddress
        case .failure(.redirect(_, let address)): return address
        case .failure(.page): return nil
        }
    }

    private static func check(_ request: AuthorizationRequest) throws(BrokenProperty) {
        try BrokenProperty.unless(ProofKey.isChallenge(request.codeChallenge), "no challenge")
        try BrokenProperty.unless(!request.scopes.isEmpty && request.scopes.allSatisfy(client.scopes.contains), "a scope that is not the client's")
        try BrokenProperty.unless(!request.scopes.contains("ledger:read"), "a machine's scope")
        try BrokenProperty.unless(!request.prompt.contains(.none) || request.prompt.count == 1, "none beside another prompt")
        try BrokenProperty.unless((request.maxAgeSeconds ?? 0) >= 0, "a negative age")
        let kept = try? AuthorizationRequest(json: request.json)
        try BrokenProperty.unless(kept == request, "a sign-in flow keeps another request")
    }

    /// Two addresses in two lines. What can be registered has a host that browsers and we read the same, can be named by the page's policy,
    /// and is matched by itself alone, whatever the port of a loopback address.
    static func runRedirect(_ bytes: [UInt8]) throws(BrokenProperty) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard (try? RedirectURI.check(lines[0])) != nil else { return }
        try BrokenProperty.unless(RedirectURI.isRegistered(lines[0], among: [lines[0]]), "it is not itself")
        guard let target = RedirectTarget(lines[0]) else { throw BrokenProperty(description: "registered, and leads nowhere: \(lines[0])") }
        try BrokenProperty.unless(!target.policySource.contains { " ;,'*".contains($0) }, "more than a source: \(target.policySource)")
        if lines[0].hasPrefix("https:"), let read = URL(string: lines[0]) {
            let shown = target.shown.prefix { $0 != ":" }
            let isSame = read.host() == String(shown) || target.shown.hasPrefix("[")
            try BrokenProperty.unless(isSame && read.user() == nil, "\(read.host() ?? "") is shown as \(target.shown)")
        }
        guard lines.count == 2, !lines[1].utf8.elementsEqual(lines[0].utf8), RedirectURI.isRegistered(lines[1], among: [lines[0]]) else { return }
        let (other, own) = (withoutPort(lines[1]), withoutPort(lines[0]))
        try BrokenProperty.unless(own.hasPrefix("http://") && own.utf8.elementsEqual(other.utf8), "\(lines[1]) is taken for \(lines[0])")
    }

    private static func withoutPort(_ address: String) -> String { address.replacing(/^(http:\/\/(?:127\.0\.0\.1|\[::1\])):[0-9]+\//) { "\($0.1)/" } }

    /// A form's fields, written again, are read as the same; one that is given twice is no form's, and one without a value is absent.
    static func runForm(_ bytes: [UInt8]) throws(BrokenProperty) {
        guard let fields = try? Form.fields(of: bytes) else { return }
        let written = fields.map { "\(escaped($0.name))=\(escaped($0.value))" }.joined(separator: "&")
        let again = (try? Form.fields(of: written.utf8)) ?? []
        let isSame =
            fields.count == again.count
            && zip(fields, again).allSatisfy { one, other in
                one.name.utf8.elementsEqual(other.name.utf8) && one.value.utf8.elementsEqual(other.value.utf8)
            }
        try BrokenProperty.unless(isSame, "read again it is another form")
        let form = try? Form(bytes)
        let names = fields.map(\.name)
        try BrokenProperty.unless((form != nil) == (Set(names).count == names.count), "a field that is given twice")
        let parameters = OAuthParameters(fields)
        for (name, value) in fields {
            if let form { try BrokenProperty.unless(form[name] == (value.isEmpty ? nil : value), "another value of \(name)") }
            try BrokenProperty.unless(parameters.isRepeated(name) == (names.count { $0 == name } > 1), "\(name) is counted wrongly")
        }
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Byte by byte, but for a loopback port.
    private static func isOurs(_ address: String) -> Bool {
        if registered.contains(where: { $0.utf8.elementsEqual(address.utf8) }) { return true }
        let port = address.utf8.dropFirst("http://127.0.0.1:".utf8.count).dropLast("/cb".utf8.count)
        return address.utf8.starts(with: "http://127.0.0.1:".utf8) && address.utf8.suffix(3).elementsEqual("/cb".utf8)
            && port.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Basic credentials: what is read is what was sent, encoded as RFC 6749 wants it or not at all.
    static func runCredentials(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        // The server lets no other octets of a field through.
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return }
        var headers = HTTPFields()
        headers[.authorization] = text
        guard let credentials = try? ClientCredentials(headers, nil) else { return }
        try BrokenProperty.unless(!credentials.id.isEmpty && credentials.secret != nil, "a client without name or secret")
        let pair = [credentials.id, credentials.secret ?? ""].map(escaped)
        headers[.authorization] = "Basic \(Data(pair.joined(separator: ":").utf8).base64EncodedString())"
        let again = try? ClientCredentials(headers, nil)
        try BrokenProperty.unless(again?.id == credentials.id && again?.secret == credentials.secret, "another client when it is encoded")
    }

    /// A refresh token has one spelling.
    static func runRefreshToken(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let token = RefreshToken(text) else { return }
        try BrokenProperty.unless(token.text == text, "a second spelling")
        try BrokenProperty.unless((0...Int64(UInt32.max)).contains(token.number), "a number of another size")
    }
}
