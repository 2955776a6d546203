package import StrictJSON

/// The event types of accounts; each is its routing key.
package enum AccountEventType: String, EventType {
    case registered = "identity.user.registered.v1"
    case recovered = "identity.account.recovered.v1"

    package static let producer = "identity"
}

/// `identity.user.registered.v1`: an address was proven, and with that there is a user. The subject and the partition key are the user.
package struct UserRegisteredEvent: EventPayload {
    package let userID: UserID
    package let registeredAt: Timestamp

    package init(userID: UserID, registeredAt: Timestamp) {
        self.userID = userID
        self.registeredAt = registeredAt
    }

    package static let types: [AccountEventType] = [.registered]

    package var type: AccountEventType { .registered }
    package var subject: String { userID.description }
    package var partitionKey: String { userID.description }

    package init(reading object: inout JSONObjectReader, type: AccountEventType) throws(RequestFault) {
        self.init(userID: try object.identifier("user_id"), registeredAt: try object.time("registered_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("user_id", userID.description)
            writer.member("registered_at", registeredAt.description)
        }
    }
}

/// `identity.account.recovered.v1`: a lost password was replaced, which ended the user's sessions. The subject and the partition key are the
/// user.
package struct AccountRecoveredEvent: EventPayload {
    package let userID: UserID
    /// Whether a second factor was verified beside the mailed code, as it is wherever one is enrolled.
    package let isMultiFactor: Bool
    package let recoveredAt: Timestamp

    package init(userID: UserID, isMultiFactor: Bool, recoveredAt: Timestamp) {
        self.userID = userID
        self.isMultiFactor = isMultiFactor
        self.recoveredAt = recoveredAt
    }

    package static let types: [AccountEventType] = [.recovered]

    package var type: AccountEventType { .recovered }
    package var subject: String { userID.description }
    package var partitionKey: String { userID.description }

    package init(reading object: inout JSONObjectReader, type: AccountEventType) throws(RequestFault) {
        self.init(
            userID: try object.identifier("user_id"), isMultiFactor: try object.bool("multi_factor"),
            recoveredAt: try object.time("recovered_at"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("user_id", userID.description)
            writer.member("multi_factor", isMultiFactor)
            writer.member("recovered_at", recoveredAt.description)
        }
    }
}
