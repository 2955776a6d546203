import Contracts
import FoundationEssentials
import HTTPTypes
import RequestSigning
import ServiceClient
import ServiceRuntime

/// A request as it goes over the wire, signed or not: the demo also sends what the shared client never would.
struct DemoRequest: Sendable {
    let method: String
    let target: String
    var fields: HTTPFields
    var body: [UInt8]?
}

/// What a service answered.
struct DemoAnswer: Sendable {
    let status: Int
    let isReplayed: Bool
    let body: [UInt8]
    /// The body, when the answer is a refusal.
    let problem: Problem?

    init(_ response: ServiceResponse) {
        status = response.status
        isReplayed = response.headerFields[HTTPField.Name("idempotency-replayed")!] == "true"
        body = response.body
        problem = (400..<600).contains(response.status) ? try? Problem(wireBytes: response.body) : nil
    }

    /// Status and code, as the demo prints them.
    var summary: String { problem.map { "\(status) \($0.code.rawValue)" } ?? "\(status)" }
}

/// A service that is up, over HTTP.
struct DemoService: Sendable {
    private static let timeLimit = Duration.seconds(10)
    /// A service that has just started refuses what was signed in the second of its start.
    private static let startTries = 5
    private static let startPause = Duration.milliseconds(500)

    let name: String
    let address: ServiceAddress
    let connections: ServiceConnections

    /// The request with its token, key and type, not yet signed.
    func request(_ method: String, _ target: String, token: String?, key: String? = nil, body: (any WireRequest)? = nil) -> DemoRequest {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        if let key { fields[HTTPField.Name("idempotency-key")!] = key }
        if body != nil { fields[.contentType] = "application/json" }
        return DemoRequest(method: method, target: target, fields: fields, body: body?.wireBytes())
    }

    /// The same request with a signature over all of it.
    func signed(_ request: DemoRequest, by signer: RequestSigner) throws -> DemoRequest {
        var signable = SignableRequest(
            method: request.method, authority: address.authority, target: request.target, headerFields: request.fields)
        try signer.sign(&signable, body: request.body, created: Int64(Date().timeIntervalSince1970))
        var signed = request
        signed.fields = signable.headerFields
        return signed
    }

    /// Signs and sends; signed anew as long as the service has only just started.
    ///
    /// - Parameter traceparent: of the trace that the request belongs to; without one the service begins one.
    func call(
        _ caller: DemoCaller, _ method: String, _ target: String, key: String? = nil, body: (any WireRequest)? = nil, traceparent: String? = nil
    ) async throws -> DemoAnswer {
        try await call(caller.signer, method, target, token: caller.token, key: key, body: body, traceparent: traceparent)
    }

    /// The same for a service that brings a person's token, or none.
    func call(
        _ signer: RequestSigner, _ method: String, _ target: String, token: String?, key: String? = nil, body: (any WireRequest)? = nil,
        traceparent: String? = nil
    ) async throws -> DemoAnswer {
        var request = request(method, target, token: token, key: key, body: body)
        if let traceparent { request.fields[HTTPField.Name("traceparent")!] = traceparent }
        var answer = try await send(try signed(request, by: signer))
        for _ in 1..<Self.startTries where answer.problem?.code == .signatureReplayed {
            try await Task.sleep(for: Self.startPause)
            answer = try await send(try signed(request, by: signer))
        }
        return answer
    }

    /// Sends exactly these bytes.
    ///
    /// - Throws: ``UnreachableDependency`` when there is no answer.
    func send(_ request: DemoRequest) async throws -> DemoAnswer {
        let outcome = await connections.exchange(
            address, method: request.method, target: request.target, fields: request.fields, body: request.body, timeout: Self.timeLimit)
        switch outcome {
        case .answered(let response): return DemoAnswer(response)
        case .unreachable(let reason), .lost(let reason), .stale(let reason): throw unreachable(reason)
        case .timedOut, .hurried: throw unreachable("no answer in time")
        case .tooLarge: throw UnusableAnswer(description: "an answer larger than any of ours")
        case .cancelled: throw CancellationError()
        }
    }

    private func unreachable(_ reason: String) -> UnreachableDependency {
        UnreachableDependency("\(name) at \(address.authority)", reason: reason)
    }

    private struct UnusableAnswer: Error, CustomStringConvertible {
        let description: String
    }
}
