import Contracts
import Foundation
import HTTPTypes
import RequestSigning
import Testing

/// As whom a request is made: the service that signs it and the token that it brings.
struct Party: Sendable {
    let caller: String
    let token: String?
}

/// A request to the ledger, and what a test wants changed about it before or after it is signed.
struct LedgerCall: Sendable {
    var method: String
    var target: String
    var body: [UInt8]?
    var party: Party
    var fields: [String: String] = [:]
    var mediaType: String? = "application/json"
    /// Unix seconds; now when nil.
    var created: Int64?
    var nonce: String?
    var isSigned = true
    /// What happens to the request on its way: on head and body as they were signed.
    var onTheWay: @Sendable (inout SignableRequest, inout [UInt8]?) -> Void = { _, _ in }

    init(_ method: String, _ target: String, _ body: String? = nil, as party: Party, key: String? = nil) {
        self.method = method
        self.target = target
        self.body = body.map { Array($0.utf8) }
        self.party = party
        if let key { fields["idempotency-key"] = key }
    }

    /// Signs and spells the request.
    func bytes(_ api: LedgerAPI) throws -> [UInt8] {
        var head = HTTPFields()
        for (name, value) in fields { head[HTTPField.Name(name)!] = value }
        if let token = party.token { head[.authorization] = "Bearer \(token)" }
        if body != nil, let mediaType { head[.contentType] = mediaType }
        var request = SignableRequest(method: method, authority: api.authority, target: target, headerFields: head)
        if isSigned {
            var random = SystemRandomNumberGenerator()
            try api.signer(party.caller).sign(
                &request, body: body, created: created ?? LedgerAPI.now, nonce: nonce ?? SigningNonce.random(using: &random))
        }
        var body = body
        onTheWay(&request, &body)
        var text = "\(request.method) \(request.target) HTTP/1.1\r\nHost: \(request.authority)\r\n"
        for field in request.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        if let body { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }
}

/// An answer of the ledger.
struct LedgerAnswer: Sendable {
    let status: Int
    let fields: [String: String]
    let bytes: [UInt8]
    let json: JSONValue

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var code: String? { json["code"]?.stringValue }
    var id: String { json["id"]?.stringValue ?? "" }
    var pointers: [String] { (json["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue } }
    var isReplay: Bool { fields["idempotency-replayed"] == "true" }
}

extension LedgerAPI {
    /// Sends a request, and checks of its answer what is true of every answer: it is JSON, names its request, is documented for its
    /// route, and every refusal is a complete problem.
    func send(_ call: LedgerCall, sourceLocation: SourceLocation = #_sourceLocation) async throws -> LedgerAnswer {
        try await send(bytes: call.bytes(self), of: call, sourceLocation: sourceLocation)
    }

    func send(bytes: [UInt8], of call: LedgerCall, sourceLocation: SourceLocation = #_sourceLocation) async throws -> LedgerAnswer {
        let raw = try await LedgerSocket.exchange(bytes, port: port)
        let answer = LedgerAnswer(
            status: raw.status, fields: raw.fields, bytes: raw.body, json: (try? JSONParser.parse(raw.body)) ?? .null)
        #expect(answer.json.objectValue != nil, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(!(answer.fields["x-request-id"] ?? "").isEmpty, sourceLocation: sourceLocation)
        #expect(answer.status != 500, "\(answer.text)", sourceLocation: sourceLocation)
        if let route = documented.route(call.method, target: call.target) {
            let isDocumented = documented.statuses[route]?.contains(answer.status) == true
            #expect(isDocumented, "\(answer.status) of \(route) is not documented", sourceLocation: sourceLocation)
        }
        if answer.status < 400 {
            #expect(answer.fields["content-type"] == "application/json", sourceLocation: sourceLocation)
        } else {
            check(problem: answer, sourceLocation)
        }
        return answer
    }

    private func check(problem answer: LedgerAnswer, _ location: SourceLocation) {
        let code = answer.code.flatMap(ProblemCode.init(rawValue:))
        #expect(answer.fields["content-type"] == "application/problem+json", sourceLocation: location)
        #expect(code?.status == answer.status, "\(answer.text)", sourceLocation: location)
        #expect(answer.json["type"]?.stringValue == "urn:florin:problem:\(answer.code ?? "")", sourceLocation: location)
        #expect(answer.json["title"]?.stringValue?.isEmpty == false, sourceLocation: location)
        #expect(answer.json["status"]?.integerValue == Int64(answer.status), sourceLocation: location)
        // A repeated refusal is the first one to the byte, the id of its request included.
        if !answer.isReplay {
            #expect(answer.json["instance"]?.stringValue == answer.fields["x-request-id"], sourceLocation: location)
        }
        if answer.status == 503 || answer.status == 429 {
            #expect(Int(answer.fields["retry-after"] ?? "").map { $0 >= 1 } == true, sourceLocation: location)
        }
        if answer.status == 401 { #expect(answer.fields["www-authenticate"] != nil, sourceLocation: location) }
    }
}
