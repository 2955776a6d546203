import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct MigratorTests {
    private func connection(_ database: TestDatabase) async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(url: database.ownerURL))
    }

    /// The lock that ALTER TABLE asks for stands in everybody's way from the moment it waits: it must not wait long.
    @Test func `a migration that a reader keeps waiting lets writers pass, and comes again`() async throws {
        let files = MigrationFiles()
        try files.write("ledger", "0001_first.sql", "CREATE TABLE postings (n int);")
        let database = try await PostgresServer.shared().makeDatabase()
        let owner = try await connection(database)
        let first = try files.migrator("ledger")
        _ = try await owner.withSession { session in try first.migrate(session) }
        try files.write("ledger", "0002_second.sql", "ALTER TABLE postings ADD m int;")
        let second = try files.migrator("ledger")
        let (writer, watcher) = (try await connection(database), try await connection(database))
        var migrating: Task<Int, any Error>?
        try await database.server.holding("SELECT FROM postings", database: database.name) {
            migrating = Task { try await owner.withSession { session in try second.migrate(session).count } }
            for _ in 0..<2 {
                #expect(
                    try await eventually {
                        try await watcher.withSession { session in
                            try session.query("SELECT FROM pg_locks WHERE relation = 'postings'::regclass AND NOT granted").count == 1
                        }
                    })
                // Behind the migration in the queue, and done long before the reader is.
                try await writer.withSession { session in _ = try session.execute("INSERT INTO postings VALUES (1)") }
            }
        }
        #expect(try await migrating?.value == 1)
        for connection in [owner, writer, watcher] { await connection.close() }
    }

    @Test func `folders and files are applied in order, once`() async throws {
        let files = MigrationFiles()
        try files.write("shared", "0001_base.sql", "CREATE TABLE base (id int PRIMARY KEY);")
        try files.write("ledger", "0001_first.sql", "ALTER TABLE base ADD a int; CREATE TABLE t (n int);")
        try files.write("ledger", "0002_second.sql", "ALTER TABLE t ADD m int;")
        let migrator = try files.migrator("shared", "ledger")
        let owner = try await connection(await PostgresServer.shared().makeDatabase())
        let (first, second, states) = try await owner.withSession { session in
            #expect(try migrator.status(session).allSatisfy { !$0.isApplied })
            let first = try migrator.migrate(session)
            return (first, try migrator.migrate(session), try migrator.status(session).map(\.isApplied))
        }
        #expect(first.map(\.file) == ["shared/0001_base.sql", "ledger/0001_first.sql", "ledger/0002_second.sql"])
        #expect(second.isEmpty)
        #expect(states == [true, true, true])
        #expect(migrator.requiredVersions == [.init(namespace: "shared", version: 1), .init(namespace: "ledger", version: 2)])
    }

    @Test func `ten migrations at once apply each file once`() async throws {
        let files = MigrationFiles()
        try files.write("ledger", "0001_first.sql", "CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT pg_sleep(0.05);")
        try files.write("ledger", "0002_second.sql", "INSERT INTO t VALUES (2);")
        try files.write("ledger", "0003_index.sql", "CREATE INDEX CONCURRENTLY t_n ON t (n);", head: "-- serves-from: 0001\n-- no-transaction\n")
        let migrator = try files.migrator("ledger")
        let database = try await PostgresServer.shared().makeDatabase()
        let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await connection(database).withSession { session in
                        try DatabaseIsolation(service: "wallet-ledger").stamp(session)
                        return try migrator.migrate(session)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.map(\.version).sorted() == [1, 2, 3])
        let rows = try await connection(database).withSession { session in
            try session.query("SELECT n FROM t").count
        }
        #expect(rows == 2)
    }

    @Test func `a failing file leaves nothing of itself and is named`() async throws {
        let files = MigrationFiles()
        try files.write("ledger", "0001_first.sql", "CREATE TABLE t (n int);")
        try files.write("ledger", "0002_broken.sql", "CREATE TABLE u (n int); SELECT 1/0;")
        let migrator = try files.migrator("ledger")
        let owner = try await connection(await PostgresServer.shared().makeDatabase())
        try await owner.withSession { session in
            let error = #expect(throws: MigrationError.self) { try migrator.migrate(session) }
            #expect(error.map { "\($0)" }?.contains("ledger/0002_broken.sql") == true)
            #expect(error.map { "\($0)" }?.contains("1/0") == false)
            let states = try migrator.status(session).map(\.isApplied)
            #expect(states == [true, false])
            let leftover = try session.query("SELECT to_regclass('u')::text")[0].decode(String?.self)
            #expect(leftover == nil)
        }
    }

    @Test func `a file changed after it was applied is refused by name`() async throws {
        let files = MigrationFiles()
        try files.write("ledger", "0001_first.sql", "CREATE TABLE t (n int);")
        let owner = try await connection(await PostgresServer.shared().makeDatabase())
        let before = try files.migrator("ledger")
        try files.write("ledger", "0001_first.sql", "CREATE TABLE t (n int8);")
        let after = try files.migrator("ledger")
        try await owner.withSession { session in
            _ = try before.migrate(session)
            #expect(throws: MigrationError.changedAfterApplied(file: "ledger/0001_first.sql")) { try after.migrate(session) }
        }
    }

    @Test func `a file that commits on its own is refused`() async throws {
        let files = MigrationFiles()
        try files.write("ledger", "0001_first.sql", "CREATE TABLE t (n int); COMMIT;")
        let migrator = try files.migrator("ledger")
        let owner = try await connection(await PostgresServer.shared().makeDatabase())
        try await owner.withSession { session in
            #expect(throws: MigrationError.endedTransaction(file: "ledger/0001_first.sql")) { try migrator.migrate(session) }
        }
    }

    @Test(arguments: [
        (["0001_a.sql", "0003_b.sql"], "-- serves-from: 0001\n"), (["0001_a.sql", "0001_b.sql"], "-- serves-from: 0001\n"),
        (["1_a.sql"], "-- serves-from: 0001\n"), (["0001.sql"], "-- serves-from: 0001\n"), (["0001_a.sql"], ""),
        (["0001_a.sql"], "-- serves-from: 0002\n"), (["0001_a.sql"], "SELECT 1;\n-- serves-from: 0001\n"), ([], ""),
    ])
    func `a folder with a gap, a bad name or no serves-from is refused`(names: [String], head: String) throws {
        let files = MigrationFiles()
        for name in names { try files.write("ledger", name, "SELECT 1;", head: head) }
        #expect(throws: MigrationError.self) { try files.migrator("ledger") }
    }

    @Test func `serve refuses a schema that is behind or closed, and takes one that is ahead`() async throws {
        let files = MigrationFiles()
        try files.write("ledger", "0001_a.sql", "SELECT 1;")
        try files.write("ledger", "0002_b.sql", "SELECT 1;")
        let old = try files.migrator("ledger")
        try files.write("ledger", "0003_c.sql", "SELECT 1;", head: "-- serves-from: 0002\n")
        let additive = try files.migrator("ledger")
        try files.write("ledger", "0004_d.sql", "SELECT 1;", head: "-- serves-from: 0003\n")
        let destructive = try files.migrator("ledger")
        let database = try await PostgresServer.shared().makeDatabase()
        let serving = try await PostgresConnection.connect(PostgresConfiguration(url: database.servingURL))
        let owner = try await connection(database)
        func check(_ migrator: Migrator) async throws -> MigrationError? {
            do {
                try await serving.withSession { session in try migrator.check(session) }
                return nil
            } catch let error as MigrationError {
                return error
            }
        }
        #expect(try await check(old) == .schemaBehind(namespace: "ledger", required: 2, applied: 0))
        _ = try await owner.withSession { session in try additive.migrate(session) }
        #expect(try await check(old) == nil)
        #expect(try await check(destructive) == .schemaBehind(namespace: "ledger", required: 4, applied: 3))
        _ = try await owner.withSession { session in try destructive.migrate(session) }
        #expect(try await check(old) == .schemaClosed(namespace: "ledger", required: 2, by: 4, servesFrom: 3))
        #expect(try await check(additive) == nil)
        // An older release's files on the newer schema change nothing.
        #expect(try await owner.withSession { session in try old.migrate(session) }.isEmpty)
    }
}
