package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// A living session.
package struct LiveSession: Sendable, Hashable {
    package let id: UUID
    package let device: UUID
    package let authentication: Authentication
    /// The first-party client that signed the user in without a browser; nil for a browser's session.
    package let client: String?
    /// Whether the user has a second factor now.
    package let hasSecondFactor: Bool
    /// The user's address, as typed and as compared.
    package let email: String
    package let emailKey: String
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp
    package let expiresAt: Timestamp
}

/// A living session as its owner sees it.
package struct ListedSession: Sendable, Hashable {
    package let session: LiveSession
    package let deviceName: String
    package let sighting: DeviceSighting
}

/// A session that was ended just now.
package struct EndedSession: Sendable, Hashable {
    package let id: UUID
    package let user: UUID
}

/// The SQL of sessions. A session is alive while it is open, neither time limit has passed, and its generation is its user's.
///
/// Whatever ends sessions first locks the user's row, so that nothing is issued meanwhile: the gate takes that lock too.
package struct SessionStore: Sendable {
    /// As many are listed, the latest used first.
    package static let longestList: Int64 = 100

    package init() {}

    // MARK: what alive means, for every statement that asks

    /// - Parameter alias: The session's, in the statement.
    package static func isOpen(_ alias: String) -> String { "\(alias).ended_at IS NULL" }

    /// When a session ends if it is not used: the nearer of its two limits.
    package static func end(_ alias: String) -> String {
        "least(\(alias).expires_at, \(alias).last_used_at + make_interval(secs => \(alias).unused_seconds))"
    }

    private static let columns = PostgresColumns(
        ("s.id", UUID.self), ("s.user_id", UUID.self), ("s.device_id", UUID.self), ("s.client_id", String?.self),
        ("s.credential_generation", Int64.self), ("s.amr", [String].self), ("s.authenticated_at", PostgresTimestamp.self),
        ("s.second_factor_at", PostgresTimestamp?.self), ("s.created_at", PostgresTimestamp.self), ("s.last_used_at", PostgresTimestamp.self),
        (end("s"), PostgresTimestamp.self),
        ("EXISTS (SELECT FROM totp_credentials t WHERE t.user_id = s.user_id AND t.confirmed_at IS NOT NULL)", Bool.self),
        ("u.email", String.self), ("u.email_key", String.self))

    /// Of a session and its user; the time that it is now follows.
    private static let isAlive =
        "u.status = 'active' AND u.credential_generation = s.credential_generation AND \(isOpen("s")) AND \(end("s")) >"
    /// The living sessions as `s` with their users as `u`, up to the time that it is now.
    static let living = "FROM sessions s JOIN users u ON u.id = s.user_id WHERE \(isAlive)"

    // MARK: begin

    /// Starts a session, unless the user is not active or has other credentials by now; says so in an event.
    ///
    /// - Parameters:
    ///   - client: The first-party client that signs the user in; nil for a browser's session, which has a cookie instead.
    /// - Returns: its id; nil when nothing was started.
    /// - Throws: `PostgresError`.
    package func start(
        _ authentication: Authentication, on device: RecognisedDevice, cookie: BrowserSecret?, client: String?, at now: Timestamp,
        traceparent: String?, _ session: PostgresSession
    ) throws -> UUID? {
        guard let isStaff = try lockUser(authentication.user, generation: authentication.generation, session) else { return nil }
        let life = SessionLife.of(isStaff: isStaff, isApp: client != nil)
        var random = SystemRandomNumberGenerator()
        let id = UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
        let row: PostgresArguments = [
            "id": id, "user_id": authentication.user, "device_id": device.id, "client_id": client, "cookie_hash": cookie?.hash,
            "credential_generation": authentication.generation, "amr": authentication.amr,
            "authenticated_at": authentication.authenticatedAt.stored, "second_factor_at": authentication.secondFactorAt?.stored,
            "created_at": now.stored, "last_used_at": now.stored, "unused_seconds": Int32(life.unusedSeconds),
            "expires_at": now.adding(seconds: life.atMostSeconds).stored,
        ]
        try session.execute("INSERT INTO sessions (\(unsafeSQL: row.list)) VALUES (\(row))")
        let event = SessionStartedEvent(
            sessionID: SessionID(id), userID: UserID(authentication.user), deviceID: DeviceID(device.id), isNewDevice: device.isNew,
            isMultiFactor: authentication.isMultiFactor, startedAt: now)
        try SessionEvents.append([event], at: now, traceparent: traceparent, session)
        return id
    }

    /// Signs the user of a living browser session in again: the same session with a new cookie, so that whoever knew the old one is left
    /// with nothing.
    ///
    /// - Returns: whether it was alive and could be.
    /// - Throws: `PostgresError`.
    package func renew(
        _ id: UUID, _ authentication: Authentication, cookie: BrowserSecret, at now: Timestamp, _ session: PostgresSession
    ) throws -> Bool {
        guard try lockUser(authentication.user, generation: authentication.generation, session) != nil else { return false }
        return try session.execute(
            """
            UPDATE sessions s SET cookie_hash = \(cookie.hash), credential_generation = \(authentication.generation), amr = \(authentication.amr),
                authenticated_at = \(authentication.authenticatedAt.stored), second_factor_at = \(authentication.secondFactorAt?.stored),
                last_used_at = greatest(s.last_used_at, \(now.stored))
            WHERE s.id = \(id) AND s.user_id = \(authentication.user) AND \(unsafeSQL: Self.isOpen("s"))
                AND \(unsafeSQL: Self.end("s")) > \(now.stored)
            """) == 1
    }

    /// Keeps the user's credentials as they are until the end of the transaction. The first of all locks.
    ///
    /// - Returns: whether the user is a member of staff; nil when they are not active or their credentials are other ones.
    /// - Throws: `PostgresError`.
    func lockUser(_ user: UUID, generation: Int64, _ session: PostgresSession) throws -> Bool? {
        try session.query(
            """
            SELECT EXISTS (SELECT FROM user_roles r WHERE r.user_id = u.id AND r.role <> 'customer')
            FROM users u WHERE u.id = \(user) AND u.status = 'active' AND u.credential_generation = \(generation) FOR SHARE
            """
        ).first?.decode(Bool.self)
    }

    // MARK: find and use

    /// The living session of a browser.
    ///
    /// - Throws: `PostgresError`.
    package func find(cookie: BrowserSecret, at now: Timestamp, _ session: PostgresSession) throws -> LiveSession? {
        try session.query(
            "SELECT \(unsafeSQL: Self.columns) \(unsafeSQL: Self.living) \(now.stored) AND s.cookie_hash = \(cookie.hash)"
        ).first.map(Self.read)
    }

    /// The user's living session of this id; an app's only while its client is enabled.
    ///
    /// - Throws: `PostgresError`.
    package func find(_ id: UUID, of user: UUID, at now: Timestamp, _ session: PostgresSession) throws -> LiveSession? {
        try session.query(
            """
            SELECT \(unsafeSQL: Self.columns) \(unsafeSQL: Self.living) \(now.stored) AND s.id = \(id) AND s.user_id = \(user)
                AND NOT EXISTS (SELECT FROM clients c WHERE c.id = s.client_id AND c.disabled_at IS NOT NULL)
            """
        ).first.map(Self.read)
    }

    private static let deviceColumns = PostgresColumns(("d.name", String.self), ("d.app", String.self), ("d.place", String?.self))

    /// The user's living sessions with their devices, the latest used first.
    ///
    /// - Throws: `PostgresError`.
    package func listed(of user: UUID, at now: Timestamp, _ session: PostgresSession) throws -> [ListedSession] {
        try session.query(
            """
            SELECT \(unsafeSQL: Self.columns), \(unsafeSQL: Self.deviceColumns)
            FROM devices d JOIN (sessions s JOIN users u ON u.id = s.user_id) ON d.id = s.device_id
            WHERE \(unsafeSQL: Self.isAlive) \(now.stored) AND s.user_id = \(user) ORDER BY s.last_used_at DESC, s.id LIMIT \(Self.longestList)
            """
        ).map { row in
            let (name, app, place) = try row.after(Self.columns).decode(Self.deviceColumns)
            return ListedSession(session: try Self.read(row), deviceName: name, sighting: DeviceSighting(app: app, place: place))
        }
    }

    /// Notes that a session and its device are used, each at most once in ``SessionLife/notedEverySeconds``.
    ///
    /// - Throws: `PostgresError`.
    package func touch(_ id: UUID, place: String?, at now: Timestamp, _ session: PostgresSession) throws {
        _ = try session.pipeline(Self.use(of: id, place: place, at: now))
    }

    /// What ``touch(_:place:at:_:)`` runs. Two plain statements: one of both costs Postgres twice as much to plan.
    static func use(of id: UUID, place: String?, at now: Timestamp) -> [PostgresQuery] {
        let before = now.adding(seconds: -SessionLife.notedEverySeconds).stored
        return [
            "UPDATE sessions SET last_used_at = \(now.stored) WHERE id = \(id) AND last_used_at < \(before)",
            """
            UPDATE devices SET last_used_at = \(now.stored), place = coalesce(\(place), place)
            WHERE id = (SELECT device_id FROM sessions WHERE id = \(id)) AND last_used_at < \(before)
            """,
        ]
    }

    private static func read(_ row: PostgresRow) throws -> LiveSession {
        let (
            id, user, device, client, generation, amr, authenticatedAt, secondFactorAt, createdAt, lastUsedAt, expiresAt, hasSecondFactor, email,
            emailKey
        ) = try row.decode(columns)
        return LiveSession(
            id: id, device: device,
            authentication: Authentication(
                user: user, generation: generation, amr: amr, authenticatedAt: Timestamp(authenticatedAt),
                secondFactorAt: secondFactorAt.map(Timestamp.init)),
            client: client, hasSecondFactor: hasSecondFactor, email: email, emailKey: emailKey, createdAt: Timestamp(createdAt),
            lastUsedAt: Timestamp(lastUsedAt), expiresAt: Timestamp(expiresAt))
    }
}
