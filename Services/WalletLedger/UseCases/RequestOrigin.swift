import Contracts
import HTTPService
package import Idempotency

/// Who asks, and with which key: what every keyed use case is told besides the request itself.
package struct RequestOrigin: Sendable {
    /// The calling service, by its signature.
    package let caller: String
    package let access: WalletAccess
    package let key: IdempotencyKey?
    package let requestID: String
    package let traceparent: String?
    package let deadline: ContinuousClock.Instant?

    package init(
        caller: String, access: WalletAccess, key: IdempotencyKey?, requestID: String, traceparent: String? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.caller = caller
        self.access = access
        self.key = key
        self.requestID = requestID
        self.traceparent = traceparent
        self.deadline = deadline
    }
}
