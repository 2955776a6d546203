import Contracts
internal import Foundation
internal import HTTPTypes
internal import Observability
package import RequestSigning
internal import ServiceRuntime
package import StrictJSON

/// As whom a request is made: the service that signs it and the token that it brings.
package struct Party: Sendable {
    package let caller: String
    package let token: String?

    package init(caller: String, token: String?) {
        self.caller = caller
        self.token = token
    }
}

/// A request to a service, and what a test wants changed about it before or after it is signed.
package struct SignedCall: Sendable {
    package var method: String
    package var target: String
    package var body: [UInt8]?
    package var party: Party
    package var fields: [String: String] = [:]
    package var mediaType: String? = "application/json"
    /// Unix seconds; now when nil.
    package var created: Int64?
    package var nonce: String?
    package var isSigned = true
    /// What happens to the request on its way: on head and body as they were signed.
    package var onTheWay: @Sendable (inout SignableRequest, inout [UInt8]?) -> Void = { _, _ in }

    package init(_ method: String, _ target: String, _ body: String? = nil, as party: Party, key: String? = nil) {
        self.method = method
        self.target = target
        self.body = body.map { Array($0.utf8) }
        self.party = party
        if let key { fields["idempotency-key"] = key }
    }

    /// Signs and spells the request.
    package func bytes(_ api: some ServedAPI) throws -> [UInt8] {
        var head = HTTPFields()
        for (name, value) in fields { head[HTTPField.Name(name)!] = value }
        if let token = party.token { head[.authorization] = "Bearer \(token)" }
        if body != nil, let mediaType { head[.contentType] = mediaType }
        var request = SignableRequest(method: method, authority: api.authority, target: target, headerFields: head)
        if isSigned {
            var random = SystemRandomNumberGenerator()
            try api.signer(party.caller).sign(
                &request, body: body, created: created ?? WallClock.microsecondsSinceUnixEpoch() / 1_000_000,
                nonce: nonce ?? SigningNonce.random(using: &random))
        }
        var body = body
        onTheWay(&request, &body)
        var text = "\(request.method) \(request.target) HTTP/1.1\r\nHost: \(request.authority)\r\n"
        for field in request.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        if let body { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }
}

/// The answer of a service.
package struct SignedAnswer: Sendable {
    package let status: Int
    package let fields: [String: String]
    package let bytes: [UInt8]
    package let json: JSONValue

    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var code: String? { json["code"]?.stringValue }
    package var id: String { json["id"]?.stringValue ?? "" }
    package var pointers: [String] { (json["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue } }
    package var isReplay: Bool { fields["idempotency-replayed"] == "true" }
}
