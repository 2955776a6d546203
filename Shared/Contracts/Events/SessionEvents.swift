package import StrictJSON

/// The event types of sessions; each is its routing key.
package enum SessionEventType: String, EventType {
    case started = "identity.session.started.v1"
    case revoked = "identity.session.revoked.v1"

    package static let producer = "identity"
}

/// `identity.session.started.v1`: a user has signed in. The subject is the session, the partition key the user.
package struct SessionStartedEvent: EventPayload {
    package let sessionID: SessionID
    package let userID: UserID
    package let deviceID: DeviceID
    /// Whether the user had never signed in from that device.
    package let isNewDevice: Bool
    /// Whether a second factor was verified too.
    package let isMultiFactor: Bool
    package let startedAt: Timestamp

    package init(
        sessionID: SessionID, userID: UserID, deviceID: DeviceID, isNewDevice: Bool, isMultiFactor: Bool, startedAt: Timestamp
    ) {
        self.sessionID = sessionID
        self.userID = userID
        self.deviceID = deviceID
        self.isNewDevice = isNewDevice
        self.isMultiFactor = isMultiFactor
        self.startedAt = startedAt
    }

    package static let types: [SessionEventType] = [.started]

    package var type: SessionEventType { .started }
    package var subject: String { sessionID.description }
    package var partitionKey: String { userID.description }

    package init(reading object: inout JSONObjectReader, type: SessionEventType) throws(RequestFault) {
        self.init(
            sessionID: try object.identifier("sid"), userID: try object.identifier("user_id"), deviceID: try object.identifier("device_id"),
            isNewDevice: try object.bool("new_device"), isMultiFactor: try object.bool("multi_factor"), startedAt: try object.time("started_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sid", sessionID.description)
            writer.member("user_id", userID.description)
            writer.member("device_id", deviceID.description)
            writer.member("new_device", isNewDevice)
            writer.member("multi_factor", isMultiFactor)
            writer.member("started_at", startedAt.description)
        }
    }
}

/// Why a session ended before its time.
package enum SessionEndReason: String, Sendable, Hashable, CaseIterable {
    case signedOut = "signed_out"
    /// From the list of sessions.
    case endedByUser = "ended_by_user"
    /// A password or second factor was changed in another session, or by a recovery.
    case credentialsChanged = "credentials_changed"
    /// An operator granted or revoked a role.
    case rolesChanged = "roles_changed"
    case userDisabled = "disabled"
    case userDeleted = "deleted"
    /// A refresh token was presented again.
    case theft
    /// The same browser signed in again, to another session.
    case replaced
}

/// `identity.session.revoked.v1`: a session ended before its time, and its access tokens with it. The subject is the session, the partition
/// key the user.
///
/// Whoever takes access tokens refuses those with this `sid` until `exp`; after that there are none.
package struct SessionRevokedEvent: EventPayload {
    package let sessionID: SessionID
    package let userID: UserID
    package let reason: SessionEndReason
    package let revokedAt: Timestamp
    /// When the last access token of the session has expired.
    package let tokensExpireAt: Timestamp

    package init(sessionID: SessionID, userID: UserID, reason: SessionEndReason, revokedAt: Timestamp, tokensExpireAt: Timestamp) {
        self.sessionID = sessionID
        self.userID = userID
        self.reason = reason
        self.revokedAt = revokedAt
        self.tokensExpireAt = tokensExpireAt
    }

    package static let types: [SessionEventType] = [.revoked]

    package var type: SessionEventType { .revoked }
    package var subject: String { sessionID.description }
    package var partitionKey: String { userID.description }

    package init(reading object: inout JSONObjectReader, type: SessionEventType) throws(RequestFault) {
        self.init(
            sessionID: try object.identifier("sid"), userID: try object.identifier("user_id"), reason: try object.choice("reason"),
            revokedAt: try object.time("revoked_at"), tokensExpireAt: try object.time("exp"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sid", sessionID.description)
            writer.member("user_id", userID.description)
            writer.member("reason", reason.rawValue)
            writer.member("revoked_at", revokedAt.description)
            writer.member("exp", tokensExpireAt.description)
        }
    }
}
