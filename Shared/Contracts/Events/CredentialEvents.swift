package import StrictJSON

/// The event types of credentials; each is its routing key.
package enum CredentialEventType: String, EventType {
    case mfaChanged = "identity.mfa.changed.v1"
    case signInFailed = "identity.sign_in.failed.v1"

    package static let producer = "identity"
}

/// What was done to a user's second factors.
package enum MFAChangeKind: String, Sendable, Hashable, CaseIterable {
    case totpEnrolled = "totp_enrolled"
    case totpRemoved = "totp_removed"
    /// The codes that there were before are void.
    case recoveryCodesReplaced = "recovery_codes_replaced"
}

/// `identity.mfa.changed.v1`: a user's second factors are others now. The subject and the partition key are the user.
package struct MFAChangedEvent: EventPayload {
    package let userID: UserID
    package let kind: MFAChangeKind
    package let changedAt: Timestamp

    package init(userID: UserID, kind: MFAChangeKind, changedAt: Timestamp) {
        self.userID = userID
        self.kind = kind
        self.changedAt = changedAt
    }

    package static let types: [CredentialEventType] = [.mfaChanged]

    package var type: CredentialEventType { .mfaChanged }
    package var subject: String { userID.description }
    package var partitionKey: String { userID.description }

    package init(reading object: inout JSONObjectReader, type: CredentialEventType) throws(RequestFault) {
        self.init(userID: try object.identifier("user_id"), kind: try object.choice("change"), changedAt: try object.time("changed_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("user_id", userID.description)
            writer.member("change", kind.rawValue)
            writer.member("changed_at", changedAt.description)
        }
    }
}

/// What was asked for and not given.
package enum SignInFactor: String, Sendable, Hashable, CaseIterable {
    case password
    case otp
    case recoveryCode = "recovery_code"
    /// A code that came by mail.
    case mailedCode = "mailed_code"
}

/// `identity.sign_in.failed.v1`: a known user's password or code was wrong. Attempts on addresses that nobody has are counted, never
/// published; nor are those that are not looked at because there were too many before. The subject and the partition key are the user.
package struct SignInFailedEvent: EventPayload {
    package let userID: UserID
    package let factor: SignInFactor
    /// Whether it was one too many: those that follow are not looked at for a while.
    package let isBlocked: Bool
    package let failedAt: Timestamp

    package init(userID: UserID, factor: SignInFactor, isBlocked: Bool, failedAt: Timestamp) {
        self.userID = userID
        self.factor = factor
        self.isBlocked = isBlocked
        self.failedAt = failedAt
    }

    package static let types: [CredentialEventType] = [.signInFailed]

    package var type: CredentialEventType { .signInFailed }
    package var subject: String { userID.description }
    package var partitionKey: String { userID.description }

    package init(reading object: inout JSONObjectReader, type: CredentialEventType) throws(RequestFault) {
        self.init(
            userID: try object.identifier("user_id"), factor: try object.choice("factor"), isBlocked: try object.bool("blocked"),
            failedAt: try object.time("failed_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("user_id", userID.description)
            writer.member("factor", factor.rawValue)
            writer.member("blocked", isBlocked)
            writer.member("failed_at", failedAt.description)
        }
    }
}
