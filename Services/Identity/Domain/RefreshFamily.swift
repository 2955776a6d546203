package import Contracts
package import FoundationEssentials

/// A grant that is refreshed: one row, however often.
///
/// Each token has one successor. A repeat of the one before gets that successor again for a few seconds, since an answer may be lost on its
/// way; whoever shows an older one, or the one before later, holds a token that somebody else has used.
package struct RefreshFamily: Sendable, Hashable {
    /// How long a repeat gets the same successor.
    package static let grace = Duration.seconds(10)
    /// Without use.
    package static let idleLifetime = Duration.seconds(14 * 86_400)
    /// In all.
    package static let lifetime = Duration.seconds(90 * 86_400)

    package let id: UUID
    package let grant: Grant
    /// Of the token that is good now.
    package let number: Int64
    package let secretHash: [UInt8]
    package let previousSecretHash: [UInt8]?
    package let sealedSuccessor: [UInt8]?
    package let rotatedAt: Timestamp?
    package let lastUsedAt: Timestamp
    package let expiresAt: Timestamp
    package let revokedAt: Timestamp?

    package init(
        id: UUID, grant: Grant, number: Int64, secretHash: [UInt8], previousSecretHash: [UInt8]? = nil, sealedSuccessor: [UInt8]? = nil,
        rotatedAt: Timestamp? = nil, lastUsedAt: Timestamp, expiresAt: Timestamp, revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.grant = grant
        self.number = number
        self.secretHash = secretHash
        self.previousSecretHash = previousSecretHash
        self.sealedSuccessor = sealedSuccessor
        self.rotatedAt = rotatedAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    package enum Decision: Sendable, Hashable {
        case rotate
        /// The successor again, which only who holds the token can open.
        case again(sealed: [UInt8])
        /// The family is revoked.
        case theft
        case refuse(TokenRefusal)
    }

    /// What happens to a token of this family.
    ///
    /// - Parameters:
    ///   - client: Who shows it.
    ///   - number: The token's.
    ///   - secretHash: The token's.
    package func decide(client: String, number: Int64, secretHash: [UInt8], at now: Timestamp) -> Decision {
        guard client == grant.clientID else { return .refuse(.refreshUnknown) }
        guard revokedAt == nil else { return .refuse(.refreshRevoked) }
        guard now < expiresAt, now.since(lastUsedAt) < Self.idleLifetime else { return .refuse(.refreshExpired) }
        if number == self.number {
            return secretHash.isSameInConstantTime(as: self.secretHash) ? .rotate : .refuse(.refreshUnknown)
        }
        guard number < self.number else { return .refuse(.refreshUnknown) }
        // Hashes are kept of the last two; who knows a family's id without its secrets has seen one of its tokens.
        guard number == self.number - 1 else { return .theft }
        guard let previousSecretHash, secretHash.isSameInConstantTime(as: previousSecretHash) else { return .refuse(.refreshUnknown) }
        guard let sealedSuccessor, let rotatedAt, now.since(rotatedAt) < Self.grace else { return .theft }
        return .again(sealed: sealedSuccessor)
    }
}

extension [UInt8] {
    func isSameInConstantTime(as other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        return zip(self, other).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
    }
}
