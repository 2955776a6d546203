import Contracts
import HTTPTypes
import Hummingbird

extension ContentRule {
    /// Whether a request does no harm when it comes twice: it reads, or it comes under a key that its route keeps.
    func isRepeatable(_ request: Request) -> Bool {
        request.method.isSafe || (keepsKey && request.headers[.idempotencyKey]?.isEmpty == false)
    }

    /// - Throws: ``Problem`` `malformed_request` for a key that nobody would keep.
    func checkKey(_ request: Request) throws(Problem) {
        guard !keepsKey, !request.method.isSafe, request.headers.contains(.idempotencyKey) else { return }
        throw Problem(.malformedRequest, detail: "This request takes no Idempotency-Key.")
    }
}
