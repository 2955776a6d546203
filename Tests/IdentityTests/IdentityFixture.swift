import Contracts
import Foundation
import Outbox
import Postgres
import Sealing
import StrictJSON
import Synchronization
import TestSupport

@testable import Identity

/// A database of identity with a clock of its own, without HTTP.
///
/// Each part of the service adds what it needs in an extension of its own, beside its tests.
struct IdentityFixture {
    static let migrations =
        ["idempotency", "outbox"].map { MigrationFolder(namespace: $0, path: RepositoryRoot.path("migrations/shared/\($0)")) }
        + [MigrationFolder(namespace: Identity.name, path: RepositoryRoot.path("migrations/identity"))]

    let database: TestDatabase
    let pool: PostgresPool
    let clock: TestClock

    /// - Parameter isPooled: Through PgBouncer in transaction mode, where each transaction may meet another server connection.
    init(connections: Int = 8, isPooled: Bool = false) async throws {
        database = try await PostgresServer.shared().makeDatabase(service: Identity.name, migrations: Self.migrations)
        let url = isPooled ? try await database.server.pooler().url(database.servingURL, server: database.server) : database.servingURL
        // All suites at once make a slow machine: a test fails for what it tests, not for waiting its turn.
        pool = PostgresPool(
            configuration: try PostgresConfiguration(url: url),
            options: PoolOptions(maximumConnections: connections, acquireTimeout: .seconds(30)))
        clock = TestClock()
    }

    /// Events in the outbox, oldest first.
    func events() async throws -> [(type: String, subject: String, partitionKey: String, data: String)] {
        try await query("SELECT type, subject, partition_key, data FROM outbox_events ORDER BY id") { row in
            try row.decode(String.self, String.self, String.self, String.self)
        }
    }

    func count(_ table: String, where condition: String = "true") async throws -> Int64 {
        try await query("SELECT count(*) FROM \(table) WHERE \(condition)") { row in try row.decode(Int64.self) }[0]
    }

    /// Runs a query as superuser.
    func query<Value: Sendable>(_ sql: PostgresQuery, _ decode: @Sendable (PostgresRow) throws -> Value) async throws -> [Value] {
        try await connected(database.superuserURL) { session in try session.query(sql).map(decode) }
    }

    func query<Value: Sendable>(_ sql: String, _ decode: @Sendable (PostgresRow) throws -> Value) async throws -> [Value] {
        try await query(PostgresQuery(unsafeSQL: sql), decode)
    }

    /// Runs one statement as superuser, or under another role.
    func execute(_ sql: PostgresQuery, as url: String? = nil) async throws {
        try await connected(url ?? database.superuserURL) { session in _ = try session.execute(sql) }
    }

    private func connected<Value: Sendable>(_ url: String, _ body: @Sendable (PostgresSession) throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        do {
            let value = try await connection.withSession(body)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// The time of a test: it stands still until the test moves it.
final class TestClock: Sendable {
    private let microseconds: Mutex<Int64>

    /// - Parameter seconds: Unix time, in 2026 by default.
    init(at seconds: Int64 = 1_796_000_000) {
        microseconds = Mutex(seconds * 1_000_000)
    }

    var now: Timestamp { Timestamp(microsecondsSinceUnixEpoch: microseconds.withLock { $0 }) }
    var seconds: Int64 { microseconds.withLock { $0 } / 1_000_000 }

    func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        microseconds.withLock { $0 += seconds * 1_000_000 + attoseconds / 1_000_000_000_000 }
    }
}

extension IdentityFixture {
    /// A user who can sign in, without any credential.
    func makeUser(_ email: String? = nil, roles: [String] = ["customer"]) async throws -> UUID {
        let id = newID()
        let address = email ?? "user-\(id.uuidString.lowercased())@example.com"
        try await execute(
            """
            INSERT INTO users (id, status, email, email_key, name, locale, created_at, changed_at)
            VALUES (\(id), 'active', \(address), \(address), 'Ana Example', 'en', \(clock.now.stored), \(clock.now.stored))
            """)
        for role in roles {
            try await execute(
                "INSERT INTO user_roles (user_id, role, granted_by, granted_at) VALUES (\(id), \(role), 'test', \(clock.now.stored))")
        }
        return id
    }

    /// A browser's session, alive for 30 days.
    func makeSession(
        of user: UUID, amr: [String] = ["pwd"], authenticatedAt: Timestamp? = nil
    ) async throws -> UUID {
        let (device, session) = (newID(), newID())
        let (now, key) = (clock.now.stored, (0..<32).map { _ in UInt8.random(in: .min ... .max) })
        try await execute(
            """
            INSERT INTO devices (id, user_id, key_hash, name, app, created_at, last_used_at)
            VALUES (\(device), \(user), \(key), 'Laptop', 'Firefox on Linux', \(now), \(now))
            """)
        try await execute(
            """
            INSERT INTO sessions (id, user_id, device_id, cookie_hash, credential_generation, amr, authenticated_at, created_at, last_used_at, expires_at)
            SELECT \(session), \(user), \(device), \(key), credential_generation, \(amr), \((authenticatedAt ?? clock.now).stored), \(now), \(now),
                \(now)::timestamptz + interval '30 days' FROM users WHERE id = \(user)
            """)
        return session
    }

    func newID() -> UUID {
        var random = SystemRandomNumberGenerator()
        return UUID.v7(milliseconds: clock.now.millisecondsSinceUnixEpoch, using: &random)
    }

    /// The code of the latest mail to an address.
    func mailedCode(to address: String, opening keys: OpeningKeys) async throws -> String? {
        let rows = try await query("SELECT event_id, data FROM outbox_events WHERE type = 'identity.message.requested.v1' ORDER BY id DESC") { row in
            try row.decode(UUID.self, String.self)
        }
        for (id, data) in rows {
            var object = try JSONObjectReader(JSONParser.parse(Array(data.utf8)))
            let event = try MessageRequestedEvent(reading: &object, type: .requested)
            let content = try MessageContent(bytes: try keys.open(event.sealed, boundTo: EventID(id)))
            if content.address == address, let code = content.code { return code }
        }
        return nil
    }
}
