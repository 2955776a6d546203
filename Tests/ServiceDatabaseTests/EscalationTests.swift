import Postgres
import ServiceDatabase
import TestSupport
import Testing

/// The functions alone: where a role of the service can make whatever it likes, what it makes is not taken for the service's.
@Suite("A service's database: stand-ins for what its functions use")
struct EscalationTests {
    /// As the page says, and then opened.
    private static let databases = Task {
        let databases = try await DocumentedDatabases.migrated(on: .startSeparate())
        for schema in DocumentedDatabases.schemas {
            let roles = ServiceRoles(service: schema.service)
            let database = DocumentedDatabases.name(of: schema)
            try await databases.execute(["GRANT TEMPORARY, CREATE ON DATABASE \(database) TO \(roles.serving), \(roles.relay)"], as: schema)
        }
        return databases
    }

    private static let wallet = "'01900000-0000-7000-8000-000000000001'"
    private static let other = "'01900000-0000-7000-8000-000000000002'"
    private static let open = """
        INSERT INTO public.wallets (id, opened_by, currency, opened_at, last_posted_at)
        VALUES (\(wallet), 'x', 'EUR', now(), now()), (\(other), 'x', 'EUR', now(), now());
        """

    /// A change of the books that only stand-ins in the schema `STAND_INS` justify, and the rule that must refuse it.
    struct Forgery: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        let constraint: String
    }

    private static let forgeries = [
        Forgery(
            testDescription: "money by an entry that nobody wrote",
            script: """
                CREATE TABLE STAND_INS.entries (LIKE public.entries);
                INSERT INTO STAND_INS.entries (wallet_id, version, transfer_id, amount, balance_after, posted_at)
                VALUES (\(wallet), 1, gen_random_uuid(), 1000000, 1000000, now());
                UPDATE public.wallets SET balance = 1000000, version = 1 WHERE id = \(wallet);
                """, constraint: "wallets_follow_entries"),
        Forgery(
            testDescription: "money by a view of entries",
            script: """
                CREATE VIEW STAND_INS.entries AS SELECT id AS wallet_id, 1::bigint AS version, id AS transfer_id, 1000000::bigint AS amount,
                    1000000::bigint AS balance_after, now() AS posted_at FROM public.wallets;
                UPDATE public.wallets SET balance = 1000000, version = 1 WHERE id = \(wallet);
                """, constraint: "wallets_follow_entries"),
        Forgery(
            testDescription: "an overdraft by a change that nobody recorded",
            script: """
                CREATE TABLE STAND_INS.wallet_changes (LIKE public.wallet_changes);
                INSERT INTO STAND_INS.wallet_changes (wallet_id, version, kind, status, overdraft_limit, reason, caller, changed_by, changed_at)
                VALUES (\(wallet), 1, 4, 0, 1000000, 'x', 'x', 'x', now());
                UPDATE public.wallets SET overdraft_limit = 1000000, version = 1 WHERE id = \(wallet);
                """, constraint: "wallets_follow_entries"),
        Forgery(
            testDescription: "entries of wallets that don't show them",
            script: """
                CREATE TABLE STAND_INS.wallets (LIKE public.wallets);
                INSERT INTO STAND_INS.wallets SELECT * FROM public.wallets;
                UPDATE STAND_INS.wallets SET version = 1, balance = CASE id WHEN \(wallet) THEN 5 ELSE -5 END;
                WITH t AS (
                    INSERT INTO public.transfers (id, kind, amount, currency, source_wallet_id, source_version, destination_wallet_id,
                        destination_version, ordered_by, key_id, posted_at)
                    VALUES (gen_random_uuid(), 1, 5, 'EUR', \(other), 1, \(wallet), 1, 'x', gen_random_uuid(), now()) RETURNING *
                )
                INSERT INTO public.entries (wallet_id, version, transfer_id, amount, balance_after, posted_at)
                SELECT source_wallet_id, 1, id, -5, -5, posted_at FROM t UNION ALL SELECT destination_wallet_id, 1, id, 5, 5, posted_at FROM t;
                """, constraint: "entries_follow"),
    ]

    @Test(
        "the ledger's rules are checked against the ledger's tables, whatever the session finds first", arguments: forgeries,
        ["pg_temp", "wallet_ledger"])
    func forged(_ forgery: Forgery, _ schema: String) async throws {
        let databases = try await Self.databases.value
        let serving = try #require(DocumentedDatabases.roles.first { $0.name == "wallet_ledger" })
        // The schema of the role's name comes first without a setting; a setting may put it before pg_catalog as well.
        let own = "CREATE SCHEMA wallet_ledger; SET LOCAL search_path = wallet_ledger, pg_catalog, public;"
        let script = Self.open + (schema == "pg_temp" ? "" : own) + forgery.script.replacing("STAND_INS", with: schema)
        let error = try #require(try await databases.attempt(serving, script))
        #expect(error.constraintName == forgery.constraint, "\(String(reflecting: error))")
    }

    /// The functions that run as the owner, and a call that takes each through its statements.
    private static let calls = [
        "expire_idempotency_keys(integer)": "expire_idempotency_keys(10)",
        "statement_totals(uuid,bigint,bigint,integer)": "statement_totals(\(wallet), 0, 3000, 10)",
        "prune_outbox(interval,integer)": "prune_outbox('1 hour', 10)",
        "prune_customer_debits(interval,integer)": "prune_customer_debits('1 day', 10)",
        "expire_processed_events(integer)": "expire_processed_events(10)",
        "expire_dead_letters(integer)": "expire_dead_letters(10)",
        "expire_work_items(text,interval,integer)": "expire_work_items('deliveries', '1 day', 10)",
    ]

    @Test("what a role makes is never run as the owner", arguments: DocumentedDatabases.roles)
    func sprung(_ role: DocumentedDatabases.Role) async throws {
        let databases = try await Self.databases.value
        let functions = try await databases.withSession(databases.url(role)) { session in
            try session.query(
                """
                SELECT oid::regprocedure::text FROM pg_proc
                WHERE prosecdef AND pronamespace = 'public'::regnamespace AND has_function_privilege(oid, 'EXECUTE')
                """
            ).map { row in try row.decode(String.self) }
        }
        #expect(!functions.isEmpty)
        let owner = ServiceRoles(service: role.schema.service).owner
        for function in functions {
            let call = try #require(Self.calls[function], "\(function) runs as its owner: show here that it can be trusted")
            let error = try await databases.attempt(role, "\(Self.traps(for: owner)) SELECT public.\(call);")
            #expect(error?.sqlState != SQLState(rawValue: "TRAP1"), "\(function): \(error.map { String(reflecting: $0) } ?? "")")
        }
    }

    /// Stand-ins for every table and for the types that functions declare; each raises TRAP1 when it is met by the owner.
    private static func traps(for owner: String) -> String {
        let body = "BEGIN IF current_user = '\(owner)' THEN RAISE EXCEPTION 'sprung' USING ERRCODE = 'TRAP1'; END IF; RETURN"
        return """
            CREATE FUNCTION pg_temp.trap() RETURNS trigger LANGUAGE plpgsql AS $t$ \(body) NULL; END $t$;
            CREATE FUNCTION pg_temp.trapped() RETURNS boolean LANGUAGE plpgsql AS $t$ \(body) true; END $t$;
            DO $do$
            DECLARE
                made record;
            BEGIN
                FOR made IN
                    SELECT c.relname AS name, string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ') AS columns
                    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname
                LOOP
                    EXECUTE format('CREATE TEMPORARY TABLE %I (%s)', made.name, made.columns);
                    EXECUTE format('GRANT ALL ON pg_temp.%I TO PUBLIC', made.name);
                    IF made.name = 'outbox_retention' THEN INSERT INTO pg_temp.outbox_retention (singleton) VALUES (true); END IF;
                    IF made.name = 'entries' THEN INSERT INTO pg_temp.entries (wallet_id, version) VALUES (\(wallet), 3000); END IF;
                    EXECUTE format('CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE ON pg_temp.%I EXECUTE FUNCTION pg_temp.trap()', made.name);
                END LOOP;
            END $do$;
            CREATE DOMAIN pg_temp.timestamptz AS pg_catalog.timestamptz CHECK (pg_temp.trapped());
            CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid CHECK (pg_temp.trapped());
            CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.trapped());
            """
    }
}
