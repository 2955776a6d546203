/// Every stable error code of the fleet, with its HTTP status and title. Clients decide by the code, never by the text.
package enum ProblemCode: String, Sendable, CaseIterable {
    case malformedRequest = "malformed_request"
    case unknownField = "unknown_field"
    case amountOutOfRange = "amount_out_of_range"
    case unknownCurrency = "unknown_currency"
    case idempotencyKeyMissing = "idempotency_key_missing"
    case atTooRecent = "at_too_recent"

    case signatureMissing = "signature_missing"
    case signatureInvalid = "signature_invalid"
    case signatureExpired = "signature_expired"
    case signatureReplayed = "signature_replayed"
    case digestMismatch = "digest_mismatch"
    case tokenMissing = "token_missing"
    case tokenInvalid = "token_invalid"
    case tokenExpired = "token_expired"

    case callerNotAllowed = "caller_not_allowed"
    case insufficientScope = "insufficient_scope"

    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"

    case requestInProgress = "request_in_progress"
    case referenceExists = "reference_exists"
    case holdNotOpen = "hold_not_open"
    case alertNotOpen = "alert_not_open"

    case bodyTooLarge = "body_too_large"
    case unsupportedMediaType = "unsupported_media_type"

    case insufficientFunds = "insufficient_funds"
    case walletFrozen = "wallet_frozen"
    case walletClosed = "wallet_closed"
    case currencyMismatch = "currency_mismatch"
    case sameWallet = "same_wallet"
    case refundExceedsOriginal = "refund_exceeds_original"
    case captureExceedsHold = "capture_exceeds_hold"
    case balanceOutOfRange = "balance_out_of_range"
    case balanceNotZero = "balance_not_zero"
    case overdraftInUse = "overdraft_in_use"
    case walletLimitReached = "wallet_limit_reached"
    case idempotencyKeyReused = "idempotency_key_reused"
    case recipientUnavailable = "recipient_unavailable"

    case rateLimited = "rate_limited"
    case internalError = "internal_error"
    case overloaded
    case outcomeUnknown = "outcome_unknown"
    case unavailable

    package var status: Int {
        switch self {
        case .malformedRequest, .unknownField, .amountOutOfRange, .unknownCurrency, .idempotencyKeyMissing, .atTooRecent: 400
        case .signatureMissing, .signatureInvalid, .signatureExpired, .signatureReplayed, .digestMismatch, .tokenMissing, .tokenInvalid,
            .tokenExpired:
            401
        case .callerNotAllowed, .insufficientScope: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .requestInProgress, .referenceExists, .holdNotOpen, .alertNotOpen: 409
        case .bodyTooLarge: 413
        case .unsupportedMediaType: 415
        case .insufficientFunds, .walletFrozen, .walletClosed, .currencyMismatch, .sameWallet, .refundExceedsOriginal, .captureExceedsHold,
            .balanceOutOfRange, .balanceNotZero, .overdraftInUse, .walletLimitReached, .idempotencyKeyReused, .recipientUnavailable:
            422
        case .rateLimited: 429
        case .internalError: 500
        case .overloaded, .outcomeUnknown, .unavailable: 503
        }
    }

    package var title: String {
        switch self {
        case .malformedRequest: "The request can't be read"
        case .unknownField: "The request has a member that is not known"
        case .amountOutOfRange: "The amount is not a whole number of minor units in range"
        case .unknownCurrency: "The currency is not known"
        case .idempotencyKeyMissing: "The Idempotency-Key header is missing or malformed"
        case .atTooRecent: "The time asked for is too recent to be final"
        case .signatureMissing: "The request is not signed"
        case .signatureInvalid: "The signature does not fit the request"
        case .signatureExpired: "The signature has expired"
        case .signatureReplayed: "The signed request was seen before"
        case .digestMismatch: "The body does not fit its digest"
        case .tokenMissing: "An access token is needed"
        case .tokenInvalid: "The access token is not valid"
        case .tokenExpired: "The access token has expired"
        case .callerNotAllowed: "This caller may not use this route"
        case .insufficientScope: "The token does not allow this"
        case .notFound: "Not found"
        case .methodNotAllowed: "The method is not known here"
        case .requestInProgress: "A request with this key is in progress"
        case .referenceExists: "The reference was used before"
        case .holdNotOpen: "The hold is not open"
        case .alertNotOpen: "The alert was resolved otherwise before"
        case .bodyTooLarge: "The body is too large"
        case .unsupportedMediaType: "The media type is not supported"
        case .insufficientFunds: "The wallet's available balance does not cover the amount"
        case .walletFrozen: "The wallet is frozen"
        case .walletClosed: "The wallet is closed"
        case .currencyMismatch: "The currencies differ"
        case .sameWallet: "Source and destination are the same wallet"
        case .refundExceedsOriginal: "The refunds would exceed the original transfer"
        case .captureExceedsHold: "The amount is more than the hold still has"
        case .balanceOutOfRange: "The balance would leave its range"
        case .balanceNotZero: "The wallet's balance is not zero"
        case .overdraftInUse: "The overdraft in use is above the new limit"
        case .walletLimitReached: "The owner has as many open wallets as they can have"
        case .idempotencyKeyReused: "The Idempotency-Key was used for another request"
        case .recipientUnavailable: "The recipient can't receive this"
        case .rateLimited: "Too many requests"
        case .internalError: "Something went wrong on our side"
        case .overloaded: "Too much to do at the moment"
        case .outcomeUnknown: "The outcome is not known yet; repeat the request with the same key"
        case .unavailable: "The service can't answer at the moment"
        }
    }
}
