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
        let pair = [credentials.id, credentials.secret ?? ""].map { half in
            half.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
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
