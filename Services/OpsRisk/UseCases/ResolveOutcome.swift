package import Idempotency

/// Why an alert is not resolved.
package enum ResolveRefusal: String, Sendable, Hashable {
    case notFound = "not_found"
    case resolvedOtherwise = "alert_not_open"
}

/// How a request to resolve an alert ended. Its fingerprint names the alert.
package enum ResolveOutcome: Sendable, Hashable {
    case resolved
    case refused(ResolveRefusal, requestID: String)
}

extension ResolveOutcome: IdempotentOutcome {
    package var refusal: (reason: ResolveRefusal, requestID: String)? {
        if case .refused(let reason, let requestID) = self { (reason, requestID) } else { nil }
    }

    package var stored: StoredOutcome {
        switch self {
        case .resolved: StoredOutcome(1)
        case .refused(let reason, let requestID): StoredOutcome(2, refusal: reason.rawValue, refusedRequestID: requestID)
        }
    }

    package init?(_ stored: StoredOutcome) {
        switch (stored.kind, stored.refusal, stored.refusedRequestID) {
        case (1, nil, nil): self = .resolved
        // A refusal as it was written before migration 0007.
        case (1, nil, let requestID?): self = .refused(.resolvedOtherwise, requestID: requestID)
        case (2, let code?, let requestID?):
            guard let reason = ResolveRefusal(rawValue: code) else { return nil }
            self = .refused(reason, requestID: requestID)
        default: return nil
        }
    }
}
