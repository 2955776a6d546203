import Crypto
import Foundation
import HTTPTypes
import RequestSigning

/// Signs anything, the profile's shape or not, with code that shares nothing with the module: strings, Foundation's base64, plain HMAC.
struct ReferenceSigner {
    var label = "florin"
    var signatureLabel: String?
    var covered: [String] = [
        "@method", "@authority", "@path", "@query", "content-digest", "content-type", "authorization", "idempotency-key", "traceparent",
        "x-request-id", "florin-deadline", "florin-client",
    ]
    var created: Int64 = SigningFixture.now
    var expires: Int64 = SigningFixture.now + 20
    var nonce = "nonce-1"
    var key = SigningFixture.mobileKey
    var tag = "florin-internal-1"
    /// In place of the regular parameters.
    var parameters: String?

    var parameterText: String {
        parameters ?? #";created=\#(created);expires=\#(expires);nonce="\#(nonce)";keyid="\#(key.keyID)";tag="\#(tag)""#
    }

    /// The request with Content-Digest (when a body is given) and the signature's two fields.
    func sign(_ request: SignableRequest, body: [UInt8]? = SigningFixture.body) -> SignableRequest {
        var request = request
        if let body {
            request.headerFields[HTTPField.Name("content-digest")!] = "sha-256=:\(Data(SHA256.hash(data: body)).base64EncodedString()):"
        }
        let target = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var lines: [String] = []
        for component in covered {
            let value =
                switch component {
                case "@method": request.method
                case "@authority": request.authority.lowercased()
                case "@path": String(target[0])
                case "@query": "?" + (target.count > 1 ? target[1] : "")
                default: HTTPField.Name(component).flatMap { request.headerFields[$0] } ?? ""
                }
            lines.append("\"\(component)\": \(value)")
        }
        let input = "(" + covered.map { "\"\($0)\"" }.joined(separator: " ") + ")" + parameterText
        lines.append("\"@signature-params\": \(input)")
        let code = HMAC<SHA256>.authenticationCode(for: Data(lines.joined(separator: "\n").utf8), using: key.secret)
        request.headerFields[HTTPField.Name("signature-input")!] = "\(label)=\(input)"
        request.headerFields[HTTPField.Name("signature")!] = "\(signatureLabel ?? label)=:\(Data(code).base64EncodedString()):"
        return request
    }
}
