package import Contracts
package import HTTPTypes
package import Idempotency

extension AuthenticatedRequest {
    /// The request's `Idempotency-Key` in its scope; nil without one.
    ///
    /// - Throws: ``Problem`` `idempotency_key_missing` for a key that is malformed.
    package func idempotencyKey(principal: String) throws -> IdempotencyKey? { try idempotencyKey(caller: caller, principal: principal) }
}

extension SignedRequest {
    /// The request's `Idempotency-Key` in its scope, the calling service; nil without one.
    ///
    /// - Throws: ``Problem`` `idempotency_key_missing` for a key that is malformed.
    package func idempotencyKey() throws -> IdempotencyKey? { try idempotencyKey(caller: caller, principal: "service:\(caller)") }
}

extension EndpointRequest {
    fileprivate func idempotencyKey(caller: String, principal: String) throws -> IdempotencyKey? {
        guard let text = headers[.idempotencyKey] else { return nil }
        guard IdempotencyKey.isKey(text) else {
            throw Problem(.idempotencyKeyMissing, detail: "Idempotency-Key must be 1 to 255 visible ASCII characters.")
        }
        return IdempotencyKey(caller: caller, principal: principal, key: text)
    }
}

extension Problem {
    /// - Parameter pointer: To the first member in which the request differs from the one that the key was first used for.
    package static func keyReused(_ pointer: String) -> Problem {
        Problem(
            .idempotencyKeyReused,
            errors: [FieldError(pointer: pointer, detail: "Differs from the first request with this key.")])
    }
}

extension Answer {
    private static let replayed = [HTTPField(name: .idempotencyReplayed, value: "true")]

    package init(_ status: HTTPResponse.Status, _ body: some WireEncodable, isReplay: Bool) {
        self.init(status, body, extraHeaders: isReplay ? Self.replayed : [])
    }

    package init(_ problem: Problem, isReplay: Bool) {
        self.init(problem, extraHeaders: isReplay ? Self.replayed : [])
    }

    /// The one mapping of answers to requests with a key.
    ///
    /// - Parameters:
    ///   - status: Of what was done.
    ///   - problem: What a refusal is, with the id of the request that was refused first.
    /// - Throws: ``Problem`` for what was not decided.
    package init<Body: WireEncodable, Refused>(
        _ answer: IdempotentAnswer<Body, Refused>, status: HTTPResponse.Status, refused problem: (_ reason: Refused, _ requestID: String) -> Problem
    ) throws {
        switch answer {
        case .done(let body, let isReplay): self.init(status, body, isReplay: isReplay)
        case .refused(let reason, let requestID, let isReplay): self.init(problem(reason, requestID), isReplay: isReplay)
        case .keyReused(let pointer): throw Problem.keyReused(pointer)
        case .inProgress: throw Problem(.requestInProgress, retryAfterSeconds: 1)
        }
    }
}
