package import Contracts
package import HTTPTypes
package import Idempotency
import ServiceRuntime

extension AuthenticatedRequest {
    /// The request's `Idempotency-Key` in its scope; nil without one.
    ///
    /// - Throws: ``Problem`` `idempotency_key_missing` for a key that is malformed.
    package func scopedKey(principal: String) throws -> ScopedKey? {
        guard let text = headers[.idempotencyKey] else { return nil }
        guard ScopedKey.isKey(text) else {
            throw Problem(.idempotencyKeyMissing, detail: "An Idempotency-Key has 1 to 255 visible ASCII characters.")
        }
        return ScopedKey(caller: caller, principal: principal, key: text)
    }
}

/// What every keyed answer has in common.
extension Problem {
    /// - Parameter pointer: To the first member in which the request differs from the one that the key was first used for.
    package static func keyReused(_ pointer: String) -> Problem {
        Problem(
            .idempotencyKeyReused,
            errors: [FieldError(pointer: pointer, detail: "Differs from the request that the key was first used for.")])
    }
}

extension Answer {
    /// Marks the answer to a repeated request.
    package static let replayed = [HTTPField(name: .idempotencyReplayed, value: "true")]
}
