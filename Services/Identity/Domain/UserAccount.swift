package import Contracts
package import FoundationEssentials

package enum UserStatus: String, Sendable, Hashable, CaseIterable {
    case active
    case disabled
    /// Final: the row is kept for its id, and empty.
    case deleted
}

/// A user as its row says, without credentials.
package struct UserAccount: Sendable, Hashable {
    /// Of who has said nothing about their language.
    package static let defaultLocale = "en"

    package let id: UUID
    package let status: UserStatus
    /// As typed; nil once the user is deleted.
    package let email: String?
    package let name: String?
    package let locale: String
    package let generation: Int64
    package let createdAt: Timestamp

    package var userID: UserID { UserID(id) }
}
