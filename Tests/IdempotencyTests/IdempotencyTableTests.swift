import Foundation
import Idempotency
import Postgres
import ServiceDatabase
import TestSupport
import Testing

@Suite("The table of idempotency keys")
struct IdempotencyTableTests {
    /// What a service itself says of its outcomes.
    private static let ownRules = ["idempotency_keys_outcome", "idempotency_keys_outcome_check"]
    private static let functions = ["keep_idempotency_keys", "expire_idempotency_keys"]

    /// Everything that the catalogue says of the table and its functions, a line each, with the service's roles by what they are for.
    private static func shape(of database: TestDatabase) async throws -> Set<String> {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.superuserURL))
        let lines = try await connection.withSession { session in
            try session.query(
                """
                WITH t AS (SELECT 'public.idempotency_keys'::regclass AS id), f AS (
                    SELECT * FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY(\(functions)))
                SELECT format('column %s %s%s', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' NOT NULL' END)
                FROM pg_attribute, t WHERE attrelid = t.id AND attnum > 0 AND NOT attisdropped
                UNION ALL SELECT format('default of %s: %s', a.attname, pg_get_expr(d.adbin, d.adrelid))
                FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum, t WHERE d.adrelid = t.id
                UNION ALL SELECT format('constraint %s %s %s', conname, pg_get_constraintdef(c.oid), convalidated)
                FROM pg_constraint c, t WHERE conrelid = t.id AND conname <> ALL(\(ownRules))
                UNION ALL SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid FROM pg_index, t WHERE indrelid = t.id
                UNION ALL SELECT pg_get_triggerdef(g.oid) || ' ' || tgenabled::text FROM pg_trigger g, t WHERE tgrelid = t.id
                UNION ALL SELECT format('owner %s', relowner::regrole) FROM pg_class, t WHERE oid = t.id
                UNION ALL SELECT format('%s may %s', grantee::regrole, privilege_type)
                FROM pg_class c, t, aclexplode(relacl) WHERE c.oid = t.id
                UNION ALL SELECT format('column %s has grants of its own', attname) FROM pg_attribute, t WHERE attrelid = t.id AND attacl IS NOT NULL
                UNION ALL SELECT format('%s %s %s %s', oid::regprocedure, proowner::regrole, prosecdef, array_to_string(proconfig, '; ')) || prosrc FROM f
                UNION ALL SELECT format('%s may %s %s', grantee::regrole, privilege_type, f.oid::regprocedure) FROM f, aclexplode(f.proacl)
                """
            ).map { row in try row.decode(String.self) }
        }
        await connection.close()
        let roles = [database.roles.owner: "OWNER", database.roles.serving: "SERVING", database.roles.relay: "RELAY"]
        return Set(
            lines.map { line in
                line.split(separator: " ", omittingEmptySubsequences: false).map { roles[String($0)] ?? String($0) }.joined(separator: " ")
            })
    }

    private static func shared(_ name: String) -> MigrationFolder {
        MigrationFolder(namespace: name, path: RepositoryRoot.path("migrations/shared/\(name)"))
    }

    @Test(
        "those services that had one before the shared one have the same",
        arguments: [
            ("wallet-ledger", ["outbox"], []),
            // For binaries of before, until a later release drops them.
            ("ops-risk", ["outbox", "consumption"], ["default of created_at: now()", "default of outcome: 1"]),
        ] as [(String, [String], Set<String>)])
    func shape(_ service: String, _ folders: [String], _ beyond: Set<String>) async throws {
        let server = try await PostgresServer.shared()
        let new = try await Self.shape(of: server.makeDatabase(service: "identity", migrations: BoxService.migrations))
        #expect(new.count > 20 && new.contains("column id uuid NOT NULL") && new.contains("SERVING may INSERT"), "\(new)")
        let own = MigrationFolder(namespace: service, path: RepositoryRoot.path("migrations/\(service)"))
        let database = try await server.makeDatabase(service: service, migrations: folders.map(Self.shared) + [own])
        let old = try await Self.shape(of: database)
        #expect(old.subtracting(new) == beyond)
        #expect(new.subtracting(old).isEmpty, "\(new.subtracting(old))")
    }

    @Test(
        "nobody changes or deletes a key, and only the owner's function lets one expire",
        arguments: [
            "UPDATE idempotency_keys SET request = ''", "DELETE FROM idempotency_keys", "TRUNCATE idempotency_keys",
            "INSERT INTO idempotency_keys (id, caller, principal, key, request, outcome, refusal, created_at) VALUES (gen_random_uuid(), '', '', '', '', 2, 'x', now())",
        ])
    func appendOnly(_ statement: String) async throws {
        let service = try await BoxService(.direct)
        _ = try await service.replica()(try await service.newBox(), 1, key: "k")
        let owners = await #expect(throws: PostgresError.self) { try await service.asOwner(statement) }
        let constraint = statement.hasPrefix("INSERT")
        #expect(owners?.sqlState == (constraint ? .checkViolation : .integrityConstraintViolation))
        let servings = await #expect(throws: PostgresError.self) {
            try await service.pools[0].withSession { session in _ = try session.execute(PostgresQuery(unsafeSQL: statement)) }
        }
        #expect(servings?.sqlState == (constraint ? .checkViolation : .insufficientPrivilege))
        #expect(try await service.keys() == 1)
    }

    @Test("keys older than 30 days expire, in bounded batches")
    func expiry() async throws {
        let service = try await BoxService(.direct)
        let (box, fill) = (try await service.newBox(), service.replica())
        for index in 0..<4 { _ = try await fill(box, 1, key: "k-\(index)") }
        try await service.asOwner(
            "ALTER TABLE idempotency_keys DISABLE TRIGGER USER",
            "UPDATE idempotency_keys SET created_at = now() - CASE key WHEN 'k-0' THEN interval '29 days' ELSE interval '31 days' END",
            "ALTER TABLE idempotency_keys ENABLE TRIGGER USER")
        let store = IdempotencyStore<BoxOutcome>()
        for expected in [2, 1, 0] {
            #expect(try await service.pools[0].withTransaction { session in try store.expire(session, atMost: 2) } == expected)
        }
        #expect(try await fill(box, 1, key: "k-0").body?.contentAfter == 1)
        #expect(try await fill(box, 1, key: "k-1").body?.contentAfter == 5)
    }

    @Test("a key is taken once, and its record and fingerprint are found again")
    func store() async throws {
        let service = try await BoxService(.direct)
        let store = IdempotencyStore<BoxOutcome>()
        let (key, other, unused) = (FillBox.key("a"), FillBox.key("b"), FillBox.key("c"))
        let record = IdempotencyRecord(FillBox.fingerprint(UUID(), 1), BoxOutcome.filled(UUID()))
        let refusal = IdempotencyRecord(FillBox.fingerprint(UUID(), 2), BoxOutcome.refused(.full, requestID: "req-1"))
        try await service.pools[0].withSession { session in
            #expect(try store.take(session, key, for: record) == nil)
            #expect(try store.take(session, key, for: refusal) == record)
            try store.insert(session, other, refusal)
            #expect(try store.record(session, of: other) == refusal)
            #expect(try store.record(session, of: unused) == nil)
            #expect(
                try store.fingerprints(session, of: [key, other, unused]) == [key.id: record.fingerprint, other.id: refusal.fingerprint])
        }
        let error = await #expect(throws: PostgresError.self) {
            try await service.pools[0].withSession { session in try store.insert(session, key, refusal) }
        }
        #expect(error?.sqlState == .uniqueViolation)
    }
}
