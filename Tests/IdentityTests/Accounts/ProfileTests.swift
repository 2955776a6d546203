import Contracts
import Foundation
import Observability
import Outbox
import Postgres
import Testing

@testable import Identity

@Suite("Accounts: profile, deletion, look-up, revocations") struct ProfileTests {
    private let fixture: AccountFixture
    private let user: UserID
    private let asking: SignedInUser

    init() async throws {
        fixture = try await AccountFixture()
        user = try await fixture.makeUser("ana@example.com")
        asking = SignedInUser(user: user.uuid, session: try await fixture.base.makeSession(of: user.uuid))
    }

    private var now: @Sendable () -> Timestamp {
        let clock = fixture.clock
        return { clock.now }
    }

    private func delete() async throws {
        try await DeleteAccount(pool: fixture.base.pool, messages: fixture.messages, now: now)(asking, AccountFixture.facts())
    }

    @Test("a profile is read and changed by its owner, in a living session only")
    func profile() async throws {
        let read = ReadProfile(pool: fixture.base.pool, now: now)
        let change = ChangeProfile(pool: fixture.base.pool, now: now)
        let profile = try await read(asking, until: nil)
        #expect(profile.id == user && profile.email == "ana@example.com" && profile.name == "Ana" && profile.roles == [.customer])
        let changed = try await change(ChangeProfileRequest(name: "Ana Maria", locale: "de"), asking, until: nil)
        #expect(changed.name == "Ana Maria" && changed.locale == "de" && changed.email == profile.email)
        #expect(try await change(ChangeProfileRequest(), asking, until: nil) == changed)
        let stranger = SignedInUser(user: fixture.base.newID(), session: asking.session)
        await #expect(throws: AccountRefusal.signedOut) { _ = try await read(stranger, until: nil) }
        try await fixture.base.execute("UPDATE sessions SET ended_at = now(), end_reason = 'signed_out'")
        await #expect(throws: AccountRefusal.signedOut) { _ = try await read(asking, until: nil) }
        await #expect(throws: AccountRefusal.signedOut) { _ = try await change(ChangeProfileRequest(name: "x"), asking, until: nil) }
    }

    @Test("ID-09: neither address nor roles nor what was verified can be changed through the profile")
    func closed() throws {
        for member in [#""email":"new@example.com""#, #""email_verified":true"#, #""roles":["admin"]"#, #""status":"active""#] {
            #expect {
                try ChangeProfileRequest(wireBytes: Array("{\(member)}".utf8))
            } throws: {
                ($0 as? RequestFault)?.code == .unknownField
            }
        }
    }

    @Test("deletion erases what is known of the person, keeps the ids, ends every session, and frees the address")
    func deletion() async throws {
        _ = try await fixture.base.makeSession(of: user.uuid)
        try await delete()
        let found: PostgresQuery = "SELECT status, email, email_key, name FROM users WHERE id = \(user.uuid)"
        let rows = try await fixture.base.query(found) { row in try row.decode(String.self, String?.self, String?.self, String?.self) }
        #expect(rows.count == 1 && rows[0] == ("deleted", nil, nil, nil))
        for table in ["passwords", "totp_credentials", "recovery_codes", "user_roles", "consents", "mailed_codes"] {
            #expect(try await fixture.base.count(table) == 0, "\(table)")
        }
        #expect(try await fixture.base.count("sessions", where: "end_reason = 'deleted'") == 2)
        #expect(try await fixture.base.count("devices", where: "name <> 'deleted' OR app <> '' OR place IS NOT NULL") == 0)
        let events = try await fixture.base.events().filter { $0.type == "identity.session.revoked.v1" }
        #expect(events.count == 2 && events.allSatisfy { $0.partitionKey == user.description })
        let mail = try #require(try await fixture.mails().last)
        #expect(mail.purpose == .accountDeleted && mail.content.address == "ana@example.com")
        // No address, name or mail stands anywhere in the clear.
        let dump = try await fixture.base.query("SELECT data FROM outbox_events") { row in try row.decode(String.self) }.joined()
        #expect(!dump.contains("example.com") && !dump.contains("Ana"))
        await #expect(throws: AccountRefusal.signedOut) { try await delete() }
        fixture.clock.advance(by: .seconds(61))
        #expect(try await fixture.makeUser("ana@example.com") != user)
    }

    @Test("an active user is found by address in any spelling; failed look-ups are few, whatever succeeds between them")
    func resolve() async throws {
        let attempts = AttemptCounter(pool: fixture.base.pool, metrics: PrometheusRegistry(), now: now)
        let resolve = ResolveUser(pool: fixture.base.pool, attempts: attempts)
        let asker = fixture.base.newID()
        func find(_ email: String, by asker: UUID) async throws -> UserID {
            try await resolve(ResolveUserRequest(email: email), for: asker, AccountFixture.facts())
        }
        for _ in 0..<10 { #expect(try await find(" ANA@example.com", by: asker) == user) }
        for index in 0..<5 {
            await #expect(throws: AccountRefusal.unknownUser) { _ = try await find(index == 0 ? "nobody" : "guess\(index)@example.com", by: asker) }
            if index < 4 { #expect(try await find("ana@example.com", by: asker) == user) }
        }
        let refusal = await #expect(throws: CredentialRefusal.self) { _ = try await find("ana@example.com", by: asker) }
        guard case .blocked? = refusal else { return #expect(Bool(false)) }
        // Another asker is not kept from it.
        let other = fixture.base.newID()
        #expect(try await find("ana@example.com", by: other) == user)
        _ = try await fixture.users.disable(user, by: "test")
        await #expect(throws: AccountRefusal.unknownUser) { _ = try await find("ana@example.com", by: other) }
    }

    @Test("revocations are listed in their order, page by page, as long as a token of theirs can be alive")
    func revocations() async throws {
        let list = ListRevocations(pool: fixture.base.pool, now: now)
        func all(since: Timestamp? = nil, limit: Int = 2) async throws -> [RevocationBody] {
            var (items, place): ([RevocationBody], RevocationPlace?) = ([], nil)
            repeat {
                let page = try await list(since: since, after: place, limit: limit, until: nil)
                items += page.items
                place = page.next
            } while place != nil
            return items
        }
        #expect(try await all().isEmpty)
        var ended: [SessionID] = []
        for _ in 0..<5 {
            let session = try await fixture.base.makeSession(of: user.uuid)
            fixture.clock.advance(by: .seconds(1))
            let now = fixture.clock.now
            try await fixture.base.pool.withTransaction { connection in
                _ = try SessionStore().end(session, of: user.uuid, reason: .endedByUser, at: now, connection)
            }
            ended.append(SessionID(session))
        }
        let last = fixture.clock.now
        let items = try await all()
        #expect(items.map(\.sessionID) == ended)
        #expect(items.allSatisfy { $0.tokensExpireAt == $0.revokedAt + .seconds(SessionLife.tokenSeconds) })
        #expect(try await all(since: last).map(\.sessionID) == [ended[4]])
        fixture.clock.advance(by: .seconds(SessionLife.tokenSeconds - 1))
        #expect(try await all(since: Timestamp(microsecondsSinceUnixEpoch: 0)).map(\.sessionID) == [ended[3], ended[4]])
        fixture.clock.advance(by: .seconds(2))
        #expect(try await all().isEmpty)
    }
}
