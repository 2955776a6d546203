package import Contracts
import FoundationEssentials
import Postgres

/// What operators do to accounts from the command line; each act is recorded with who asked for it.
package struct AdministerUsers: Sendable {
    /// Why an act is not done.
    package enum Refusal: Error, Sendable, Hashable {
        case addressInvalid
        /// The address has an account: grant it the role instead.
        case addressTaken(UserID)
        case notStaff
        case notFound
        case notActive
    }

    /// A user as operators see them: without address and name.
    package struct Listed: Sendable, Hashable {
        package let account: UserAccount
        package let roles: [UserRole]
    }

    private let pool: PostgresPool
    private let messages: RequestMessage
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let sessions = SessionStore()
    private let acts = OperatorActStore()

    init(pool: PostgresPool, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.messages = messages
        self.now = now
    }

    /// Makes a member of staff. The account has no password: its owner is invited by mail to set one by a recovery, which proves the address.
    ///
    /// - Throws: ``Refusal``; `PostgresError`.
    package func createStaff(
        email text: String, role: UserRole, name: String?, locale: String = UserAccount.defaultLocale, by person: String
    ) async throws -> UserID {
        guard let email = EmailAddress(text) else { throw Refusal.addressInvalid }
        guard role.isOfStaff else { throw Refusal.notStaff }
        let now = now()
        return try await pool.withTransaction { session in
            var random = SystemRandomNumberGenerator()
            let id = UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
            guard try users.insert(id, email: email.typed, emailKey: email.key, name: name, locale: locale, at: now, session) else {
                guard let owner = try users.find(emailKey: email.key, session) else { throw Refusal.notFound }
                throw Refusal.addressTaken(owner.userID)
            }
            try acts.insert(.created, to: id, by: person, at: now, session)
            try record(role, to: id, by: person, at: now, session)
            let message = RequestedMessage(
                .staffInvitation, user: id, locale: locale, content: MessageContent(address: email.typed, name: name))
            try messages.append(message, at: now, traceparent: nil, session)
            return UserID(id)
        }
    }

    /// Gives a user a role. They sign in again: a session is as short as those of staff from its start, or not at all.
    ///
    /// - Returns: false for a role that the user had already.
    /// - Throws: ``Refusal``; `PostgresError`.
    package func grant(_ role: UserRole, to user: UserID, by person: String) async throws -> Bool {
        let now = now()
        return try await pool.withTransaction { session in
            guard let account = try users.lock(user.uuid, session) else { throw Refusal.notFound }
            guard account.status == .active else { throw Refusal.notActive }
            guard try record(role, to: account.id, by: person, at: now, session) else { return false }
            try endSessions(of: account.id, at: now, session)
            return true
        }
    }

    /// Takes a role from a user, whose sessions end: no token that says it is issued or refreshed any more.
    ///
    /// - Returns: false for a role that the user did not have.
    /// - Throws: ``Refusal`` `notFound`; `PostgresError`.
    package func revoke(_ role: UserRole, from user: UserID, by person: String) async throws -> Bool {
        let now = now()
        return try await pool.withTransaction { session in
            guard let account = try users.lock(user.uuid, session) else { throw Refusal.notFound }
            guard try users.revoke(role, from: account.id, session) else { return false }
            try acts.insert(.roleRevoked(role), to: account.id, by: person, at: now, session)
            try endSessions(of: account.id, at: now, session)
            return true
        }
    }

    /// With the user locked: what is about to become a session is void as well.
    private func endSessions(of user: UUID, at now: Timestamp, _ session: PostgresSession) throws {
        _ = try users.raiseGeneration(of: user, at: now, session)
        try sessions.endAll(of: user, except: nil, reason: .rolesChanged, at: now, session)
    }

    @discardableResult
    private func record(_ role: UserRole, to user: UUID, by person: String, at now: Timestamp, _ session: PostgresSession) throws -> Bool {
        guard try users.grant(role, to: user, by: person, at: now, session) else { return false }
        try acts.insert(.roleGranted(role), to: user, by: person, at: now, session)
        return true
    }

    /// Disables a user: nothing is issued for them any more, and what was issued ends.
    ///
    /// - Returns: false for a user who was disabled already.
    /// - Throws: ``Refusal``; `PostgresError`.
    package func disable(_ user: UserID, by person: String) async throws -> Bool {
        let now = now()
        return try await pool.withTransaction { session in
            guard let account = try users.lock(user.uuid, session), account.status != .deleted else { throw Refusal.notFound }
            guard account.status == .active else { return false }
            try users.disable(account.id, at: now, session)
            try sessions.endAll(of: account.id, except: nil, reason: .userDisabled, at: now, session)
            try acts.insert(.disabled, to: account.id, by: person, at: now, session)
            if let email = account.email {
                let message = RequestedMessage(
                    .accountDisabled, user: account.id, locale: account.locale,
                    content: MessageContent(address: email, name: account.name, details: MessageDetails(at: now)))
                try messages.append(message, at: now, traceparent: nil, session)
            }
            return true
        }
    }

    /// The latest first, or the one with an address.
    ///
    /// - Throws: ``Refusal`` `addressInvalid`; `PostgresError`.
    package func list(email text: String?, role: UserRole?, status: UserStatus?, limit: Int) async throws -> [Listed] {
        var email: EmailAddress?
        if let text {
            guard let address = EmailAddress(text) else { throw Refusal.addressInvalid }
            email = address
        }
        let key = email?.key
        return try await pool.withSession { session in
            let found =
                if let key { try users.find(emailKey: key, session).map { [$0] } ?? [] } else {
                    try users.list(role: role, status: status, limit: limit, session)
                }
            return try found.map { Listed(account: $0, roles: try users.roles(of: $0.id, session)) }
        }
    }
}
