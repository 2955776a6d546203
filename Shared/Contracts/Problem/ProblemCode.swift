/// A stable error code of the fleet, with its HTTP status and title. Clients decide by the code, never by the text.
///
/// This file has the codes that any service can answer; a service's own stand in a file named by it.
package struct ProblemCode: RawRepresentable, Sendable {
    package let rawValue: String
    package let status: Int
    package let title: String

    /// A code as its service says it: one of the lists below, or, in an answer, one that is newer than they are.
    init(_ rawValue: String, status: Int, title: String) {
        self.rawValue = rawValue
        self.status = status
        self.title = title
    }

    /// A code that is in one of the lists.
    package init?(rawValue: String) {
        guard let code = Self.all.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = code
    }

    /// Every code of every service.
    package static let all = common + doors + accounts + oauth + walletLedger + opsRisk
}

extension ProblemCode: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }

    package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension ProblemCode {
    package static let malformedRequest = Self("malformed_request", status: 400, title: "The request is malformed")
    package static let unknownField = Self("unknown_field", status: 400, title: "The request has an unknown field")
    package static let amountOutOfRange = Self(
        "amount_out_of_range", status: 400, title: "The amount is not a whole number of minor units in range")
    package static let unknownCurrency = Self("unknown_currency", status: 400, title: "Unknown currency")
    package static let idempotencyKeyMissing = Self(
        "idempotency_key_missing", status: 400, title: "The Idempotency-Key header is missing or malformed")

    package static let signatureMissing = Self("signature_missing", status: 401, title: "The request is not signed")
    package static let signatureInvalid = Self("signature_invalid", status: 401, title: "The signature does not match the request")
    package static let signatureExpired = Self("signature_expired", status: 401, title: "The signature has expired")
    package static let signatureReplayed = Self("signature_replayed", status: 401, title: "The signed request has already been used")
    package static let digestMismatch = Self("digest_mismatch", status: 401, title: "The body does not match its digest")
    package static let tokenMissing = Self("token_missing", status: 401, title: "An access token is required")
    package static let tokenInvalid = Self("token_invalid", status: 401, title: "The access token is not valid")
    package static let tokenExpired = Self("token_expired", status: 401, title: "The access token has expired")

    package static let callerNotAllowed = Self(
        "caller_not_allowed", status: 403, title: "The calling service is not allowed to use this route")
    package static let insufficientScope = Self("insufficient_scope", status: 403, title: "The access token does not grant this")

    package static let notFound = Self("not_found", status: 404, title: "Not found")
    package static let methodNotAllowed = Self("method_not_allowed", status: 405, title: "The method is not allowed on this resource")

    package static let requestTimeout = Self("request_timeout", status: 408, title: "The request did not arrive in time")

    package static let requestInProgress = Self(
        "request_in_progress", status: 409, title: "A request with this Idempotency-Key is still in progress")

    package static let bodyTooLarge = Self("body_too_large", status: 413, title: "The body is too large")
    package static let targetTooLong = Self("target_too_long", status: 414, title: "The target is too long")
    package static let unsupportedMediaType = Self("unsupported_media_type", status: 415, title: "The media type is not supported")

    package static let idempotencyKeyReused = Self(
        "idempotency_key_reused", status: 422, title: "The Idempotency-Key was used for a different request")

    package static let rateLimited = Self("rate_limited", status: 429, title: "Too many requests")
    package static let headerFieldsTooLarge = Self(
        "header_fields_too_large", status: 431, title: "The header fields are too many or too large")

    package static let internalError = Self("internal_error", status: 500, title: "Internal error")
    package static let overloaded = Self("overloaded", status: 503, title: "Overloaded; try again later")
    package static let outcomeUnknown = Self(
        "outcome_unknown", status: 503, title: "The outcome is not known yet; repeat the request with the same key")
    package static let unavailable = Self("unavailable", status: 503, title: "The service is temporarily unavailable")

    /// In the order of their statuses, as the OpenAPI documents list them.
    package static let common: [Self] = [
        malformedRequest, unknownField, amountOutOfRange, unknownCurrency, idempotencyKeyMissing, signatureMissing, signatureInvalid,
        signatureExpired, signatureReplayed, digestMismatch, tokenMissing, tokenInvalid, tokenExpired, callerNotAllowed, insufficientScope,
        notFound, methodNotAllowed, requestTimeout, requestInProgress, bodyTooLarge, targetTooLong, unsupportedMediaType, idempotencyKeyReused,
        rateLimited, headerFieldsTooLarge, internalError, overloaded, outcomeUnknown, unavailable,
    ]
}
