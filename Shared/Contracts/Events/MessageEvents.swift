package import StrictJSON

/// The event type by which identity asks for a message to a person; its routing key.
package enum MessageEventType: String, EventType {
    case requested = "identity.message.requested.v1"

    package static let producer = "identity"
}

/// What a message is for, and so which template it is made from.
package enum MessagePurpose: String, Sendable, Hashable, CaseIterable {
    /// The code that ends a registration.
    case registrationCode = "registration_code"
    /// Somebody registers with an address that has an account.
    case addressTaken = "address_taken"
    /// The code that ends a recovery.
    case recoveryCodeMail = "recovery_code_mail"
    case newDevice = "new_device"
    case passwordChanged = "password_changed"
    /// A second factor was added or removed, or recovery codes were used or replaced.
    case mfaChanged = "mfa_changed"
    case accountRecovered = "account_recovered"
    case accountDisabled = "account_disabled"
    case accountDeleted = "account_deleted"
    /// To a new member of staff, who sets a first password by a recovery.
    case staffInvitation = "staff_invitation"
}

/// `identity.message.requested.v1`. The subject and the partition key are the message.
///
/// Whom it goes to and what it says is sealed to notification's key and bound to the event's id: neither outbox, broker and dead letters
/// nor those who operate them can read a code.
package struct MessageRequestedEvent: EventPayload {
    package let messageID: MessageID
    package let purpose: MessagePurpose
    /// Nil where nobody has an account yet.
    package let userID: UserID?
    /// A BCP 47 language tag, like `de` or `en-GB`.
    package let locale: String
    /// When what it says is worth nothing any more: it is not sent after that. Nil for a notice, which keeps.
    package let expiresAt: Timestamp?
    /// A ``MessageContent``.
    package let sealed: SealedText

    private static let localeLength = 1...35

    package init(
        messageID: MessageID, purpose: MessagePurpose, userID: UserID?, locale: String, expiresAt: Timestamp?, sealed: SealedText
    ) {
        self.messageID = messageID
        self.purpose = purpose
        self.userID = userID
        self.locale = locale
        self.expiresAt = expiresAt
        self.sealed = sealed
    }

    package static let types: [MessageEventType] = [.requested]

    package var type: MessageEventType { .requested }
    package var subject: String { messageID.description }
    package var partitionKey: String { messageID.description }

    package init(reading object: inout JSONObjectReader, type: MessageEventType) throws(RequestFault) {
        self.init(
            messageID: try object.identifier("message_id"), purpose: try object.choice("kind"), userID: try object.optionalIdentifier("user_id"),
            locale: try object.string("locale", length: Self.localeLength), expiresAt: try object.optionalTime("expires_at"),
            sealed: try SealedText(reading: &object, member: "sealed"))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("message_id", messageID.description)
            writer.member("kind", purpose.rawValue)
            if let userID { writer.member("user_id", userID.description) }
            writer.member("locale", locale)
            if let expiresAt { writer.member("expires_at", expiresAt.description) }
            writer.name("sealed")
            sealed.encode(into: &writer)
        }
    }
}
