internal import Contracts
package import RequestSigning
import StrictJSON

/// A service that takes signed requests, as a test meets it.
package protocol ServedAPI: Sendable {
    /// On the loopback address.
    var port: Int { get }
    var documented: DocumentedAPI { get }

    /// Who signs as this service; anybody unknown signs with a key that the callee has never seen.
    func signer(_ caller: String) -> RequestSigner
}

extension ServedAPI {
    package var authority: String { "127.0.0.1:\(port)" }

    /// Sends a request.
    ///
    /// - Parameter bytes: What goes over the wire; the call's own otherwise.
    package func exchange(_ call: SignedCall, bytes: [UInt8]? = nil) async throws -> SignedAnswer {
        let raw = try await HTTPSocket.exchange(bytes ?? call.bytes(self), port: port)
        return SignedAnswer(status: raw.status, fields: raw.fields, bytes: raw.body, json: (try? JSONParser.parse(raw.body)) ?? .null)
    }

    /// What is wrong with an answer that is true of every answer: it is JSON, names its request, is documented for its route, and every
    /// refusal is a complete problem.
    package func faults(of answer: SignedAnswer, to call: SignedCall) -> [String] {
        var faults: [String] = []
        func require(_ isTrue: Bool, _ fault: @autoclosure () -> String) {
            if !isTrue { faults.append(fault()) }
        }
        require(answer.json.objectValue != nil, "no JSON object: \(answer.text)")
        require(!(answer.fields["x-request-id"] ?? "").isEmpty, "no request id")
        require(answer.status != 500, "\(answer.text)")
        if let route = documented.route(call.method, target: call.target) {
            require(documented.statuses[route]?.contains(answer.status) == true, "\(answer.status) of \(route) is not documented")
        }
        if answer.status < 400 {
            require(answer.fields["content-type"] == "application/json", "of type \(answer.fields["content-type"] ?? "none")")
            return faults
        }
        let code = answer.code.flatMap(ProblemCode.init(rawValue:))
        require(answer.fields["content-type"] == "application/problem+json", "of type \(answer.fields["content-type"] ?? "none")")
        require(code?.status == answer.status, "\(answer.status): \(answer.text)")
        require(answer.json["type"]?.stringValue == "urn:florin:problem:\(answer.code ?? "")", "another type: \(answer.text)")
        require(answer.json["title"]?.stringValue?.isEmpty == false, "no title: \(answer.text)")
        require(answer.json["status"]?.integerValue == Int64(answer.status), "another status: \(answer.text)")
        // A repeated refusal is the first one to the byte, the id of its request included.
        if !answer.isReplay {
            require(answer.json["instance"]?.stringValue == answer.fields["x-request-id"], "another request: \(answer.text)")
        }
        if answer.status == 503 || answer.status == 429 {
            require(Int(answer.fields["retry-after"] ?? "").map { $0 >= 1 } == true, "no Retry-After")
        }
        if answer.status == 401 { require(answer.fields["www-authenticate"] != nil, "no WWW-Authenticate") }
        return faults
    }
}
