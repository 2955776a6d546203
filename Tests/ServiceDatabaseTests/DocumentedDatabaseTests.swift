import Foundation
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

/// What databases are closed to that were made as `k8s/README.md` says.
@Suite("A service's database: made as its page says")
struct DocumentedDatabaseTests {
    private static let databases = Task { try await DocumentedDatabases.migrated(on: .startSeparate()) }

    /// One way each to make something that a name of the service might then mean.
    private static let standIns = [
        "CREATE TEMPORARY TABLE entries (id int)", "CREATE TEMPORARY VIEW wallets AS SELECT 1", "CREATE TEMPORARY SEQUENCE ids",
        "SELECT 1 AS id INTO TEMPORARY outbox_events", "CREATE DOMAIN pg_temp.uuid AS text", "CREATE TYPE pg_temp.text AS (a int)",
        "CREATE FUNCTION pg_temp.now() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE SCHEMA mine",
        "CREATE TABLE public.mine (id int)", "CREATE VIEW public.mine AS SELECT 1", "CREATE TYPE public.mine AS (a int)",
        "CREATE FUNCTION public.hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
        "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)", "CREATE EXTENSION hstore SCHEMA public",
        "SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, '')", "ALTER FUNCTION TRIGGERED RESET search_path",
        "CREATE TRIGGER mine BEFORE DELETE ON schema_migrations FOR EACH ROW EXECUTE FUNCTION TRIGGERED",
    ]

    @Test("no role of a service can make anything that takes the place of something of the service", arguments: DocumentedDatabases.roles)
    func standIns(_ role: DocumentedDatabases.Role) async throws {
        let databases = try await Self.databases.value
        // Some function of the service's own that a trigger runs.
        let function = try await databases.withSession(databases.url(role)) { session in
            try session.query(
                """
                SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
                ORDER BY proname LIMIT 1
                """)[0].decode(String.self)
        }
        for statement in Self.standIns {
            let error = try await databases.attempt(role, statement.replacing("TRIGGERED", with: function))
            #expect(error?.sqlState == .insufficientPrivilege, "\(statement): \(error.map { String(reflecting: $0) } ?? "is allowed")")
        }
    }

    @Test("a role of a service finds nothing but pg_catalog and public on its way", arguments: DocumentedDatabases.roles)
    func searchPath(_ role: DocumentedDatabases.Role) async throws {
        let databases = try await Self.databases.value
        let schemas = try await databases.withSession(databases.url(role)) { session in
            try session.query("SELECT array_to_string(current_schemas(true), ' ')")[0].decode(String.self)
        }
        #expect(schemas == "pg_catalog public")
    }

    @Test("strict isolation has nothing against it, and no other door opens", arguments: DocumentedDatabases.roles)
    func strict(_ role: DocumentedDatabases.Role) async throws {
        let databases = try await Self.databases.value
        try await databases.check(role)
        let others = DocumentedDatabases.schemas.map(DocumentedDatabases.name).filter { $0 != DocumentedDatabases.name(of: role.schema) }
        for database in ["postgres", "template1"] + others {
            let error = await #expect(throws: PostgresError.self, "\(database)") {
                try await databases.withSession(databases.url(role.name, database: database)) { _ in }
            }
            #expect(error?.kind == .connectFailed)
        }
    }

    @Test("no function of a service is PUBLIC's to call")
    func grants() async throws {
        let databases = try await Self.databases.value
        for role in DocumentedDatabases.roles {
            let open = try await databases.withSession(databases.url(role)) { session in
                try session.query(
                    """
                    SELECT p.oid::regprocedure::text FROM pg_proc p
                    WHERE p.pronamespace = 'public'::regnamespace
                        AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)
                    """
                ).map { row in try row.decode(String.self) }
            }
            #expect(open.isEmpty, "PUBLIC may call these: grant EXECUTE to the roles that need it")
        }
    }

    @Test("every function of every service's migrations says where it looks", arguments: DocumentedDatabases.schemas)
    func functions(_ schema: DatabaseSchema) async throws {
        let databases = try await Self.databases.value
        let (all, silent) = try await databases.withSession(databases.server.url(database: DocumentedDatabases.name(of: schema))) { session in
            func functions(_ condition: String) throws -> [String] {
                try session.query(
                    PostgresQuery(
                        unsafeSQL: """
                            SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                            WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND \(condition)
                            """)
                ).map { row in try row.decode(String.self) }
            }
            let clause = "'search_path=pg_catalog, public, pg_temp' = ANY (coalesce(p.proconfig, '{}'))"
            return (try functions("true"), try functions("NOT \(clause)"))
        }
        #expect(!all.isEmpty)
        #expect(silent.isEmpty, "these lack SET search_path = pg_catalog, public, pg_temp, which CREATE OR REPLACE drops too")
    }

    @Test("each folder of migrations belongs to a database that is looked at here")
    func folders() throws {
        let shared = Set(DocumentedDatabases.schemas.flatMap { $0.folders(in: "migrations") }.map(\.path))
        let files = try FileManager.default.subpathsOfDirectory(atPath: RepositoryRoot.path("migrations")).filter { $0.hasSuffix(".sql") }
        #expect(shared == Set(files.map { "migrations/\($0.split(separator: "/").dropLast().joined(separator: "/"))" }))
    }
}
