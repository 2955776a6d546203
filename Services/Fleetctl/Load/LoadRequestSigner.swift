package import Contracts
import HTTPTypes
package import RequestSigning

/// Makes signed requests, complete to the last byte, before anything is measured.
package struct LoadRequestSigner: Sendable {
    /// A request as it will be signed and sent.
    package struct Signed: Sendable {
        package let request: SignableRequest
        package let body: [UInt8]?
    }

    /// Tasks that sign at the same time.
    private static let signingTasks = 2
    private static let transferPath = "/v1/transfers"
    private static let sizeEstimate = 1_536

    private let signer: RequestSigner
    private let authority: String
    private let authorization: String

    /// - Parameters:
    ///   - authority: Host and port as they stand in the Host field.
    ///   - token: The access token that every request carries.
    package init(signer: RequestSigner, authority: String, token: String) {
        self.signer = signer
        self.authority = authority
        authorization = "Bearer \(token)"
    }

    /// One `POST /v1/transfers` with a key and a nonce of its own.
    ///
    /// - Parameter created: When it is signed, in seconds since the Unix epoch.
    package func transfer(
        from source: WalletID, to destination: WalletID, money: Money, created: Int64, using generator: inout some RandomNumberGenerator
    ) throws(RequestSigner.Failure) -> Signed {
        try post(Self.transferPath, Self.json(source, destination, money), created: created, using: &generator)
    }

    /// One `POST /v1/transfers/batch` with a key and a nonce of its own.
    ///
    /// - Parameter created: When it is signed, in seconds since the Unix epoch.
    package func batch(
        _ mode: TransferBatchMode, _ pairs: [(source: WalletID, destination: WalletID)], money: Money, created: Int64,
        using generator: inout some RandomNumberGenerator
    ) throws(RequestSigner.Failure) -> Signed {
        let items = pairs.map { Self.json($0.source, $0.destination, money) }.joined(separator: ",")
        return try post(
            "\(Self.transferPath)/batch", "{\"mode\":\"\(mode.rawValue)\",\"transfers\":[\(items)]}", created: created, using: &generator)
    }

    private static func json(_ source: WalletID, _ destination: WalletID, _ money: Money) -> String {
        """
        {"source_wallet_id":"\(source)","destination_wallet_id":"\(destination)","amount":\(money.amountMinor),\
        "currency":"\(money.currency.code)"}
        """
    }

    private func post(
        _ target: String, _ body: String, created: Int64, using generator: inout some RandomNumberGenerator
    ) throws(RequestSigner.Failure) -> Signed {
        var fields = HTTPFields()
        fields[.authorization] = authorization
        fields[.contentType] = "application/json"
        fields[.idempotencyKey] = SigningNonce.random(using: &generator)
        return try sign("POST", target, fields, body: Array(body.utf8), created: created, using: &generator)
    }

    /// One `GET /v1/transfers/{id}`.
    package func lookup(
        _ id: String, created: Int64, using generator: inout some RandomNumberGenerator
    ) throws(RequestSigner.Failure) -> Signed {
        var fields = HTTPFields()
        fields[.authorization] = authorization
        return try sign("GET", "\(Self.transferPath)/\(id)", fields, body: nil, created: created, using: &generator)
    }

    /// The bytes of `count` requests, made by two tasks; the order of the indexes is kept.
    package func bytes(
        count: Int, of make: @escaping @Sendable (Int, inout SystemRandomNumberGenerator) throws(RequestSigner.Failure) -> Signed
    ) async throws -> [[UInt8]] {
        let size = max(1, (count + Self.signingTasks - 1) / Self.signingTasks)
        let starts = Array(stride(from: 0, to: count, by: size))
        return try await withThrowingTaskGroup(of: (Int, [[UInt8]]).self) { group in
            for start in starts {
                group.addTask {
                    var generator = SystemRandomNumberGenerator()
                    return (start, try (start..<min(start + size, count)).map { serialized(try make($0, &generator)) })
                }
            }
            var parts: [Int: [[UInt8]]] = [:]
            for try await (start, part) in group { parts[start] = part }
            return starts.flatMap { parts[$0] ?? [] }
        }
    }

    /// The bytes of a request as HTTP/1.1 sends them.
    package func serialized(_ signed: Signed) -> [UInt8] {
        var text = "\(signed.request.method) \(signed.request.target) HTTP/1.1\r\nhost: \(signed.request.authority)\r\n"
        text.reserveCapacity(Self.sizeEstimate)
        for field in signed.request.headerFields { text += "\(field.name.canonicalName): \(field.value)\r\n" }
        if let body = signed.body { text += "content-length: \(body.count)\r\n" }
        text += "\r\n"
        return Array(text.utf8) + (signed.body ?? [])
    }

    private func sign(
        _ method: String, _ target: String, _ fields: HTTPFields, body: [UInt8]?, created: Int64, using generator: inout some RandomNumberGenerator
    ) throws(RequestSigner.Failure) -> Signed {
        var request = SignableRequest(method: method, authority: authority, target: target, headerFields: fields)
        try signer.sign(&request, body: body, created: created, nonce: SigningNonce.random(using: &generator))
        return Signed(request: request, body: body)
    }
}

extension HTTPField.Name {
    fileprivate static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}
