package import Contracts

/// A mail that was asked for, as it is kept.
package struct Delivery: Sendable, Hashable {
    package let id: MessageID
    /// To which the text is bound.
    package let eventID: EventID
    package let purpose: MessagePurpose
    package let language: MessageLanguage
    package let expiresAt: Timestamp
    /// Nil once it was erased.
    package let sealed: SealedText?

    package init(
        id: MessageID, eventID: EventID, purpose: MessagePurpose, language: MessageLanguage, expiresAt: Timestamp, sealed: SealedText?
    ) {
        self.id = id
        self.eventID = eventID
        self.purpose = purpose
        self.language = language
        self.expiresAt = expiresAt
        self.sealed = sealed
    }
}
