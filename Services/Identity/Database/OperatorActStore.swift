package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// What an operator did to an account.
package enum OperatorAct: Sendable, Hashable {
    case created
    case roleGranted(UserRole)
    case roleRevoked(UserRole)
    case disabled

    fileprivate var name: String {
        switch self {
        case .created: "created"
        case .roleGranted: "role_granted"
        case .roleRevoked: "role_revoked"
        case .disabled: "disabled"
        }
    }

    fileprivate var role: UserRole? {
        switch self {
        case .roleGranted(let role), .roleRevoked(let role): role
        case .created, .disabled: nil
        }
    }
}

/// The SQL of what operators did; rows are never changed.
package struct OperatorActStore: Sendable {
    package init() {}

    /// - Throws: `PostgresError`.
    package func insert(_ act: OperatorAct, to user: UUID, by person: String, at now: Timestamp, _ session: PostgresSession) throws {
        try session.execute(
            """
            INSERT INTO operator_acts (user_id, act, role, requested_by, acted_at)
            VALUES (\(user), \(act.name), \(act.role?.rawValue), \(person), \(now.stored))
            """)
    }
}
