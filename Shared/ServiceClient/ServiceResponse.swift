import Contracts
package import HTTPTypes

/// What the callee answered, whatever its status.
package struct ServiceResponse: Sendable {
    package let status: Int
    package let headerFields: HTTPFields
    /// Complete, as received.
    package let body: [UInt8]

    package init(status: Int, headerFields: HTTPFields, body: [UInt8]) {
        self.status = status
        self.headerFields = headerFields
        self.body = body
    }

    /// The seconds of `Retry-After` (RFC 9110 section 10.2.3); its other form, a date, does not occur inside the fleet.
    package var retryAfterSeconds: Int? {
        headerFields[.retryAfter].flatMap { DecimalDigits.number($0) }
    }
}
