package import HTTPTypes

/// One call to another service; it may take several tries, all with the same key and deadline.
package struct ServiceRequest: Sendable, CustomStringConvertible, CustomReflectable {
    /// In upper case.
    package var method: String
    /// The request target in origin form, `path[?query]`, already encoded.
    package var target: String
    /// Fields of the caller's choice besides those that have a member of their own here.
    package var headerFields: HTTPFields
    /// The bytes that are signed and sent; nil for a request without a body.
    package var body: [UInt8]?
    /// When the answer is of no use any more, retries included; passed on to the callee.
    package var deadline: ContinuousClock.Instant
    /// Makes a POST safe to repeat: every try carries the same one.
    package var idempotencyKey: String?
    /// The value of `Authorization`: the user's own token, only for callees that decide by it.
    package var authorization: String?
    /// The value of `traceparent`, a child of the request that causes this one.
    package var traceparent: String?
    /// The value of `X-Request-ID`, that of the request that causes this one.
    package var requestID: String?

    package init(
        method: String, target: String, headerFields: HTTPFields = [:], body: [UInt8]? = nil, deadline: ContinuousClock.Instant,
        idempotencyKey: String? = nil, authorization: String? = nil, traceparent: String? = nil, requestID: String? = nil
    ) {
        self.method = method
        self.target = target
        self.headerFields = headerFields
        self.body = body
        self.deadline = deadline
        self.idempotencyKey = idempotencyKey
        self.authorization = authorization
        self.traceparent = traceparent
        self.requestID = requestID
    }

    /// Neither token nor body; a target may hold ids and no secret.
    package var description: String { "\(method) \(target)" }
    package var customMirror: Mirror { Mirror(self, children: ["request": description]) }

    /// All fields of a try before it is signed.
    ///
    /// - Parameter deadlineMilliseconds: The deadline in milliseconds since the Unix epoch.
    func fields(deadlineMilliseconds: Int64) -> HTTPFields {
        var fields = headerFields
        if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        if let idempotencyKey { fields[.idempotencyKey] = idempotencyKey }
        if let authorization { fields[.authorization] = authorization }
        if let traceparent { fields[.traceparent] = traceparent }
        if let requestID { fields[.requestID] = requestID }
        fields[.florinDeadline] = String(deadlineMilliseconds)
        return fields
    }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("idempotency-key")!
    static let traceparent = HTTPField.Name("traceparent")!
    static let requestID = HTTPField.Name("x-request-id")!
    static let florinDeadline = HTTPField.Name("florin-deadline")!
}
