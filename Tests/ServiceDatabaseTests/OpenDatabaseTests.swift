import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

/// What `migrate` closes, what it must leave to an administrator, and what keeps a process from serving.
@Suite("A service's database: left open")
struct OpenDatabaseTests {
    private static let ledger = DocumentedDatabases.schemas[0]
    private static let roles = DocumentedDatabases.roles.filter { $0.schema.service == "wallet-ledger" }

    @Test("a database that was made by the page as it was is closed by the next migrate, and so is one that was opened again")
    func mended() async throws {
        try await PostgresServer.withSeparate { server in
            let databases = try await DocumentedDatabases(by: DocumentedDatabases.formerPage, on: server)
            for opening in [
                [], ["GRANT TEMPORARY ON DATABASE wallet_ledger TO PUBLIC"],
                ["GRANT ALL ON DATABASE wallet_ledger TO wallet_ledger, wallet_ledger_relay"],
                ["GRANT CREATE ON SCHEMA public TO PUBLIC, wallet_ledger_relay"],
            ] {
                try await databases.execute(opening, as: Self.ledger)
                try await databases.migrate(Self.ledger)
                for role in Self.roles {
                    try await databases.check(role)
                    for statement in ["CREATE TEMPORARY TABLE entries (id int)", "CREATE SCHEMA mine", "CREATE TABLE public.mine (id int)"] {
                        #expect(try await databases.attempt(role, statement)?.sqlState == .insufficientPrivilege, "\(opening): \(statement)")
                    }
                }
            }
        }
    }

    @Test("strict isolation names what was opened, and starts once it is closed again")
    func found() async throws {
        try await PostgresServer.withSeparate { server in
            let databases = try await DocumentedDatabases.migrated(on: server)
            for (opening, closing, code, named) in [
                (
                    "GRANT TEMPORARY ON DATABASE wallet_ledger TO PUBLIC", "REVOKE TEMPORARY ON DATABASE wallet_ledger FROM PUBLIC",
                    "may_create_temporary_tables", "by PUBLIC"
                ),
                (
                    "GRANT CREATE ON DATABASE wallet_ledger TO PUBLIC", "REVOKE CREATE ON DATABASE wallet_ledger FROM PUBLIC",
                    "may_create_schemas", "by PUBLIC"
                ),
                ("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "may_create_in_schema", "public"),
                (
                    "ALTER FUNCTION prune_outbox(interval, integer) RESET search_path",
                    "ALTER FUNCTION prune_outbox(interval, integer) SET search_path = pg_catalog, public, pg_temp",
                    "function_without_search_path", "prune_outbox(interval,integer)"
                ),
                (
                    "ALTER FUNCTION check_new_entries() SET search_path = pg_catalog, public",
                    "ALTER FUNCTION check_new_entries() SET search_path = pg_catalog, public, pg_temp", "function_without_search_path",
                    "check_new_entries()"
                ),
            ] {
                try await databases.execute([opening], as: Self.ledger)
                for role in Self.roles {
                    let error = await #expect(throws: InvalidConfiguration.self, "\(opening)") { try await databases.check(role) }
                    let said = error?.description ?? ""
                    #expect(said.contains("\(code): ") && said.contains(named) && said.contains("run migrate"), "\(said)")
                }
                try await databases.execute([closing], as: Self.ledger)
                for role in Self.roles { try await databases.check(role) }
            }
        }
    }

    @Test("an administrator's own functions are none of its business, unless they run as somebody else or as a trigger of the service")
    func othersFunctions() async throws {
        try await PostgresServer.withSeparate { server in
            let databases = try await DocumentedDatabases.migrated(on: server)
            func define(_ name: String, _ rest: String) -> String { "CREATE FUNCTION \(name)() RETURNS \(rest)" }
            try await databases.execute(
                [define("public.harmless", "int LANGUAGE sql AS 'SELECT 1'"), "CREATE EXTENSION pg_trgm"], as: Self.ledger)
            for role in Self.roles { try await databases.check(role) }
            for (name, making) in [
                ("mine", [define("public.mine", "int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")]),
                (
                    "spy",
                    [
                        define("public.spy", "trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"),
                        "CREATE TRIGGER spy AFTER INSERT ON wallets FOR EACH STATEMENT EXECUTE FUNCTION public.spy()",
                    ]
                ),
            ] {
                try await databases.execute(making, as: Self.ledger)
                for role in Self.roles {
                    let error = await #expect(throws: InvalidConfiguration.self) { try await databases.check(role) }
                    #expect(error?.description.contains("function_without_search_path: \(name)()") == true, "\(String(describing: error))")
                }
                try await databases.execute(["DROP FUNCTION public.\(name) CASCADE"], as: Self.ledger)
            }
        }
    }

    @Test("what the owner can't take away migrate says, with what an administrator is to run")
    func leftToAdministrators() async throws {
        for (opening, code, remedy) in [
            (
                [
                    "CREATE ROLE reporting", "GRANT TEMPORARY ON DATABASE wallet_ledger TO reporting",
                    "GRANT reporting TO wallet_ledger",
                ], "may_create_temporary_tables", "REVOKE TEMPORARY ON DATABASE wallet_ledger FROM reporting"
            ),
            (
                ["ALTER SCHEMA public OWNER TO postgres", "GRANT CREATE ON SCHEMA public TO PUBLIC"], "may_create_in_schema",
                "ALTER SCHEMA public OWNER TO wallet_ledger_owner"
            ),
            (
                ["ALTER DATABASE wallet_ledger OWNER TO postgres", "GRANT CONNECT ON DATABASE wallet_ledger TO wallet_ledger_owner"],
                "database_not_owned", "ALTER DATABASE wallet_ledger OWNER TO wallet_ledger_owner"
            ),
        ] {
            try await PostgresServer.withSeparate { server in
                let databases = try await DocumentedDatabases(by: DocumentedDatabases.formerPage, on: server)
                try await databases.execute(opening, as: Self.ledger)
                let error = await #expect(throws: InvalidConfiguration.self) { try await databases.migrate(Self.ledger) }
                let said = error?.description ?? ""
                #expect(said.contains("\(code): ") && said.contains(remedy), "\(said)")
                // And once that was done, all is well.
                try await databases.execute([remedy], as: Self.ledger)
                try await databases.migrate(Self.ledger)
                for role in Self.roles { try await databases.check(role) }
            }
        }
    }
}
