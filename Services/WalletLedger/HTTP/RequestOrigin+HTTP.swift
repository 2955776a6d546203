import Contracts
import HTTPService
import Idempotency
import Observability
import ServiceRuntime

extension RequestOrigin {
    /// - Throws: ``Problem`` `idempotency_key_missing` for a key that is absent where one is needed, or malformed.
    init(_ request: AuthenticatedRequest, needsKey: Bool) throws {
        let access = try request.access
        let key = try request.idempotencyKey(principal: access.principal)
        if needsKey, key == nil {
            throw Problem(.idempotencyKeyMissing, detail: "Idempotency-Key is required: this request moves money.")
        }
        self.init(
            caller: request.caller, access: access, key: key, requestID: request.requestID.text, traceparent: request.trace.traceparent,
            deadline: request.deadline)
    }

    /// The origin of a request that moves money or sets it aside, and so needs a key.
    static func keyed(_ request: AuthenticatedRequest) throws -> (RequestOrigin, IdempotencyKey) {
        let origin = try RequestOrigin(request, needsKey: true)
        guard let key = origin.key else { throw Problem(.idempotencyKeyMissing) }
        return (origin, key)
    }
}
