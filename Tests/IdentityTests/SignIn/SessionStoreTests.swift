import Contracts
import Foundation
import Outbox
import Postgres
import Testing

@testable import Identity

/// Sessions and devices on a real database.
@Suite struct SessionStoreTests {
    private let sessions = SessionStore()
    private let devices = DeviceStore()

    private func start(
        _ fixture: IdentityFixture, _ user: UUID, cookie: BrowserSecret? = .random(), client: String? = nil, device: BrowserSecret = .random(),
        generation: Int64 = 1, amr: [String] = ["pwd"]
    ) async throws -> UUID? {
        let (sessions, devices, now) = (sessions, devices, fixture.clock.now)
        let authentication = Authentication(user: user, generation: generation, amr: amr, authenticatedAt: now, secondFactorAt: nil)
        return try await fixture.pool.withTransaction { session in
            let known = try devices.recognise(device, of: user, DeviceSighting(app: "Firefox on Linux", place: "192.0.2.0/24"), at: now, session)
            return try sessions.start(authentication, on: known, cookie: cookie, client: client, at: now, traceparent: nil, session)
        }
    }

    private func find(_ fixture: IdentityFixture, _ cookie: BrowserSecret) async throws -> LiveSession? {
        let (sessions, now) = (sessions, fixture.clock.now)
        return try await fixture.pool.withSession { session in try sessions.find(cookie: cookie, at: now, session) }
    }

    private func end(_ fixture: IdentityFixture, _ user: UUID, except kept: UUID?) async throws -> [EndedSession] {
        let (sessions, now) = (sessions, fixture.clock.now)
        return try await fixture.pool.withTransaction { session in
            try sessions.endAll(of: user, except: kept, reason: .endedByUser, at: now, session)
        }
    }

    private func events(_ fixture: IdentityFixture, _ type: String) async throws -> [String] {
        try await fixture.events().filter { $0.type == type }.map(\.data)
    }

    @Test func `a session is found by its cookie, says what was verified, and was started with an event`() async throws {
        let fixture = try await IdentityFixture()
        let (user, cookie) = (try await fixture.makeUser(), BrowserSecret.random())
        let id = try #require(try await start(fixture, user, cookie: cookie, amr: ["pwd", "otp"]))
        let found = try #require(try await find(fixture, cookie))
        #expect(found.id == id)
        #expect(found.authentication.user == user)
        #expect(found.authentication.acr == Authentication.multiFactor)
        #expect(found.authentication.authenticatedAt == fixture.clock.now)
        #expect(!found.hasSecondFactor)
        #expect(try await find(fixture, .random()) == nil)
        let event = try #require(try await fixture.events().first { $0.type == "identity.session.started.v1" })
        #expect(event.subject == SessionID(id).description)
        #expect(event.partitionKey == UserID(user).description)
        #expect(event.data.contains(#""new_device":true"#) && event.data.contains(#""multi_factor":true"#))
        #expect(!event.data.contains("192.0.2"))
    }

    @Test func `a browser's session ends an hour after its last use, and a day after its start however much it is used`() async throws {
        let fixture = try await IdentityFixture()
        let (user, cookie) = (try await fixture.makeUser(), BrowserSecret.random())
        let id = try #require(try await start(fixture, user, cookie: cookie))
        fixture.clock.advance(by: .seconds(3_599))
        #expect(try await find(fixture, cookie) != nil)
        try await touch(fixture, id)
        fixture.clock.advance(by: .seconds(3_599))
        #expect(try await find(fixture, cookie) != nil)
        fixture.clock.advance(by: .seconds(1))
        #expect(try await find(fixture, cookie) == nil)

        let other = BrowserSecret.random()
        let busy = try #require(try await start(fixture, user, cookie: other))
        for _ in 0..<47 {
            fixture.clock.advance(by: .seconds(1_800))
            try await touch(fixture, busy)
        }
        #expect(try await find(fixture, other) != nil)
        fixture.clock.advance(by: .seconds(1_800))
        #expect(try await find(fixture, other) == nil)
    }

    private func touch(_ fixture: IdentityFixture, _ id: UUID) async throws {
        let (sessions, now) = (sessions, fixture.clock.now)
        try await fixture.pool.withSession { session in try sessions.touch(id, place: "198.51.100.0/24", at: now, session) }
    }

    @Test func `the use of a session is noted once a minute`() async throws {
        let fixture = try await IdentityFixture()
        let id = try #require(try await start(fixture, try await fixture.makeUser()))
        let started = fixture.clock.now
        func lastUse() async throws -> [Timestamp] {
            try await fixture.query("SELECT s.last_used_at, d.last_used_at FROM sessions s JOIN devices d ON d.id = s.device_id") { row in
                let (session, device) = try row.decode(PostgresTimestamp.self, PostgresTimestamp.self)
                return [session, device].map { Timestamp(microsecondsSinceUnixEpoch: $0.microsecondsSinceUnixEpoch) }
            }[0]
        }
        fixture.clock.advance(by: .seconds(60))
        try await touch(fixture, id)
        #expect(try await lastUse() == [started, started])
        fixture.clock.advance(by: .milliseconds(1))
        try await touch(fixture, id)
        #expect(try await lastUse() == [fixture.clock.now, fixture.clock.now])
        #expect(try await fixture.count("devices", where: "place = '198.51.100.0/24'") == 1)
    }

    @Test(arguments: [
        ("customer", false, 86_400, 3_600), ("customer", true, 90 * 86_400, 14 * 86_400), ("support", false, 43_200, 900),
        ("admin", true, 43_200, 900),
    ])
    func `staff's sessions are the shortest and apps' the longest`(role: String, isApp: Bool, atMost: Int64, unused: Int64) async throws {
        let fixture = try await IdentityFixture()
        let user = try await fixture.makeUser(roles: [role])
        if isApp { try await makeClient(fixture, "phone-app") }
        _ = try #require(try await start(fixture, user, cookie: isApp ? nil : .random(), client: isApp ? "phone-app" : nil))
        let lives = try await fixture.query("SELECT extract(epoch FROM expires_at - created_at)::bigint, unused_seconds FROM sessions") { row in
            try row.decode(Int64.self, Int32.self)
        }
        #expect(lives.map(\.0) == [atMost])
        #expect(lives.map(\.1) == [Int32(unused)])
    }

    private func makeClient(_ fixture: IdentityFixture, _ id: String) async throws {
        try await fixture.execute(
            """
            INSERT INTO clients (id, name, is_confidential, is_first_party, grants, scopes, created_at)
            VALUES (\(id), 'App', false, true, '{authorization_code}', '{openid}', \(fixture.clock.now.stored))
            """)
    }

    @Test func `ID-25: nothing starts for a user who is disabled or whose credentials are other ones, and what they had is dead`() async throws {
        let fixture = try await IdentityFixture()
        let (user, cookie) = (try await fixture.makeUser(), BrowserSecret.random())
        _ = try await start(fixture, user, cookie: cookie)
        #expect(try await start(fixture, user, generation: 2) == nil)
        try await fixture.execute("UPDATE users SET credential_generation = 2 WHERE id = \(user)")
        #expect(try await start(fixture, user, generation: 1) == nil)
        #expect(try await find(fixture, cookie) == nil)
        try await fixture.execute("UPDATE users SET status = 'disabled' WHERE id = \(user)")
        #expect(try await start(fixture, user, generation: 2) == nil)
        #expect(try await events(fixture, "identity.session.started.v1").count == 1)
    }

    @Test func `the session that changed the credentials lives on with the new number, and its refresh family with it`() async throws {
        let fixture = try await IdentityFixture()
        let (user, kept, other) = (try await fixture.makeUser(), BrowserSecret.random(), BrowserSecret.random())
        let id = try #require(try await start(fixture, user, cookie: kept))
        _ = try await start(fixture, user, cookie: other)
        try await makeFamily(fixture, user, session: id)
        let (sessions, now) = (sessions, fixture.clock.now)
        try await fixture.pool.withTransaction { session in
            try session.execute("UPDATE users SET credential_generation = 2 WHERE id = \(user)")
            try sessions.keep(id, of: user, generation: 2, session)
            try sessions.endAll(of: user, except: id, reason: .credentialsChanged, at: now, session)
        }
        #expect(try await find(fixture, kept)?.authentication.generation == 2)
        #expect(try await find(fixture, other) == nil)
        #expect(try await fixture.count("refresh_families", where: "credential_generation = 2 AND revoked_at IS NULL") == 1)
    }

    private func makeFamily(_ fixture: IdentityFixture, _ user: UUID, session: UUID) async throws {
        if try await fixture.count("clients") == 0 { try await makeClient(fixture, "phone-app") }
        let (hash, now) = (BrowserSecret.random().hash, fixture.clock.now.stored)
        try await fixture.execute(
            """
            INSERT INTO refresh_families (id, client_id, user_id, session_id, scopes, credential_generation, amr, authenticated_at, number,
                secret_hash, created_at, last_used_at, expires_at)
            VALUES (\(fixture.newID()), 'phone-app', \(user), \(session), '{openid}', 1, '{pwd}', \(now), 1, \(hash), \(now), \(now), \(now))
            """)
    }

    @Test func `ending all others ends them with their refresh families, once, and says so until their tokens have expired`() async throws {
        let fixture = try await IdentityFixture()
        let (user, stranger) = (try await fixture.makeUser(), try await fixture.makeUser())
        let kept = try #require(try await start(fixture, user))
        let others = [try #require(try await start(fixture, user)), try #require(try await start(fixture, user))]
        let foreign = try #require(try await start(fixture, stranger))
        for id in others + [kept, foreign] { try await makeFamily(fixture, id == foreign ? stranger : user, session: id) }
        #expect(Set(try await end(fixture, user, except: kept).map(\.id)) == Set(others))
        #expect(try await end(fixture, user, except: kept) == [])
        #expect(try await fixture.count("refresh_families", where: "revoked_at IS NOT NULL AND revoke_reason = 'session_ended'") == 2)
        #expect(try await fixture.count("sessions", where: "ended_at IS NULL") == 2)
        let revoked = try await fixture.events().filter { $0.type == "identity.session.revoked.v1" }
        #expect(Set(revoked.map(\.subject)) == Set(others.map { SessionID($0).description }))
        let exp = fixture.clock.now.adding(seconds: SessionLife.tokenSeconds).description
        #expect(revoked.allSatisfy { $0.data.contains(#""exp":"\#(exp)""#) && $0.partitionKey == UserID(user).description })
    }

    @Test func `nobody ends another's session, and an ended one is not ended again`() async throws {
        let fixture = try await IdentityFixture()
        let (user, stranger) = (try await fixture.makeUser(), try await fixture.makeUser())
        let id = try #require(try await start(fixture, user))
        let (sessions, now) = (sessions, fixture.clock.now)
        func end(as owner: UUID) async throws -> EndedSession? {
            try await fixture.pool.withTransaction { session in try sessions.end(id, of: owner, reason: .signedOut, at: now, session) }
        }
        #expect(try await end(as: stranger) == nil)
        #expect(try await end(as: user)?.id == id)
        #expect(try await end(as: user) == nil)
        #expect(try await events(fixture, "identity.session.revoked.v1").count == 1)
    }

    @Test func `ID-02: signing in again keeps the session and changes its cookie`() async throws {
        let fixture = try await IdentityFixture()
        let (user, old, new) = (try await fixture.makeUser(), BrowserSecret.random(), BrowserSecret.random())
        let id = try #require(try await start(fixture, user, cookie: old))
        fixture.clock.advance(by: .seconds(10))
        let (sessions, now) = (sessions, fixture.clock.now)
        let again = Authentication(user: user, generation: 1, amr: ["pwd", "otp"], authenticatedAt: now, secondFactorAt: now)
        #expect(try await fixture.pool.withTransaction { session in try sessions.renew(id, again, cookie: new, at: now, session) })
        #expect(try await find(fixture, old) == nil)
        let found = try #require(try await find(fixture, new))
        #expect(found.id == id && found.authentication == again)
        #expect(try await events(fixture, "identity.session.started.v1").count == 1)
        fixture.clock.advance(by: .seconds(3_600))
        let late = fixture.clock.now
        #expect(try await fixture.pool.withTransaction { session in try !sessions.renew(id, again, cookie: old, at: late, session) })
    }

    @Test func `a device is recognised by its secret, one row however often and however many at once`() async throws {
        let fixture = try await IdentityFixture()
        let (user, secret, devices, now) = (try await fixture.makeUser(), BrowserSecret.random(), devices, fixture.clock.now)
        let sighting = DeviceSighting(app: "Chrome on Android", place: nil)
        let found = try await withThrowingTaskGroup(of: RecognisedDevice.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await fixture.pool.withTransaction { session in try devices.recognise(secret, of: user, sighting, at: now, session) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(found.map(\.id)).count == 1)
        #expect(found.count { $0.isNew } == 1)
        #expect(found.allSatisfy { !$0.isWorthMessage }, "the first device is not news to its owner")
        let second = try await fixture.pool.withTransaction { session in try devices.recognise(.random(), of: user, sighting, at: now, session) }
        #expect(second.isNew && second.isWorthMessage)
        let stranger = try await fixture.makeUser()
        let theirs = try await fixture.pool.withTransaction { session in try devices.recognise(secret, of: stranger, sighting, at: now, session) }
        #expect(theirs.isNew && theirs.id != found[0].id)
    }

    @Test func `devices are listed with their living sessions, renamed and removed by their owner alone`() async throws {
        let fixture = try await IdentityFixture()
        let (user, stranger, secret) = (try await fixture.makeUser(), try await fixture.makeUser(), BrowserSecret.random())
        _ = try await start(fixture, user, device: secret)
        _ = try await start(fixture, user, device: secret)
        let (sessions, devices, now) = (sessions, devices, fixture.clock.now)
        func list() async throws -> [Device] { try await fixture.pool.withSession { session in try devices.all(of: user, at: now, session) } }
        let listed = try await list()
        #expect(listed.map(\.sessionCount) == [2])
        let id = try #require(listed.first?.id)
        func change(_ body: @escaping @Sendable (PostgresSession) throws -> Bool) async throws -> Bool {
            try await fixture.pool.withTransaction { session in try body(session) }
        }
        #expect(try await !change { session in try devices.rename(id, of: stranger, to: "Mine", session) })
        #expect(try await change { session in try devices.rename(id, of: user, to: "Kitchen", session) })
        #expect(try await !change { session in try devices.remove(id, of: stranger, at: now, session) })
        #expect(try await list().map(\.name) == ["Kitchen"])
        #expect(try await change { session in try devices.remove(id, of: user, at: now, session) })
        #expect(
            try await change { session in try sessions.endAll(onDevice: id, of: user, reason: .endedByUser, at: now, session).count == 2 })
        #expect(try await !change { session in try devices.rename(id, of: user, to: "Again", session) })
        #expect(try await list() == [])
        let again = try await fixture.pool.withTransaction { session in
            try devices.recognise(secret, of: user, DeviceSighting(app: "Firefox on Linux", place: nil), at: now, session)
        }
        #expect(again.isNew && again.id != id)
    }
}
