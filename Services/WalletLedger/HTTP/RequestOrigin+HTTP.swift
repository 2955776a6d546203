import Contracts
import HTTPTypes
import ServiceRuntime

extension RequestOrigin {
    /// - Throws: ``Problem`` `idempotency_key_missing` for a key that is absent where one is needed, or malformed.
    init(_ request: AuthenticatedRequest, needsKey: Bool) throws {
        let access = try request.access
        var key: ScopedKey?
        if let text = request.headers[.idempotencyKey] {
            guard ScopedKey.isKey(text) else {
                throw Problem(.idempotencyKeyMissing, detail: "An Idempotency-Key has 1 to 255 visible ASCII characters.")
            }
            key = ScopedKey(caller: request.caller, principal: access.principal, key: text, digest: Self.digest)
        } else if needsKey {
            throw Problem(.idempotencyKeyMissing, detail: "This request moves money and needs an Idempotency-Key.")
        }
        self.init(
            caller: request.caller, access: access, key: key, requestID: request.requestID.text, traceparent: request.trace.traceparent,
            deadline: request.deadline)
    }

    /// The origin of a request that moves money or sets it aside, and so needs a key.
    static func keyed(_ request: AuthenticatedRequest) throws -> (RequestOrigin, ScopedKey) {
        let origin = try RequestOrigin(request, needsKey: true)
        guard let key = origin.key else { throw Problem(.idempotencyKeyMissing) }
        return (origin, key)
    }
}
