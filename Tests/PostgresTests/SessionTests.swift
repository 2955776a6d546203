import Postgres
import TestSupport
import Testing

@Suite struct SessionTests {
    @Test(arguments: ["'; DROP TABLE users; --", "$1", "\\'", "%s", "\"", "a\nb"])
    func `a bound value is data, whatever it looks like`(text: String) async throws {
        let echoed = try await withSuperuserSession { session in
            try session.query("SELECT \(text), \(Int64(2))")[0].decode(String.self, Int64.self)
        }
        #expect(echoed.0 == text)
    }

    @Test func `interpolation numbers its binds, and raw SQL has none`() {
        let query: PostgresQuery = "SELECT \(Int64(1)) FROM \(unsafeSQL: "wallets") WHERE id = \("x")"
        #expect(query.sql == "SELECT $1 FROM wallets WHERE id = $2")
        #expect(query.binds.map(\.type) == [PostgresType.int8, PostgresType.text])
        #expect(query.binds.map(\.bytes) == [[0, 0, 0, 0, 0, 0, 0, 1], [0x78]])
    }

    @Test func `changed rows are counted`() async throws {
        let counts = try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TEMP TABLE counted (n int)")
            return [
                try session.execute("INSERT INTO counted SELECT generate_series(1, 5)"), try session.execute("UPDATE counted SET n = 0"),
                try session.execute("DELETE FROM counted WHERE n = 1"), try session.execute("ANALYZE counted"),
            ]
        }
        #expect(counts == [5, 5, 0, 0])
    }

    @Test func `a refused statement leaves the session usable and says which constraint it broke`() async throws {
        try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TEMP TABLE positive (n int CONSTRAINT n_is_positive CHECK (n > 0))")
            let error = postgresError { try session.execute("INSERT INTO positive VALUES (\(Int32(-5)))") }
            #expect(error?.kind == .server)
            #expect(error?.sqlState == .checkViolation)
            #expect(error?.constraintName == "n_is_positive")
            #expect(error?.tableName == "positive")
            #expect(session.isHealthy)
            #expect(try session.query("SELECT 1").count == 1)
        }
    }

    @Test func `what the protocol cannot carry is refused before it is sent`() async throws {
        try await withSuperuserSession { session in
            let tooMany = PostgresQuery(unsafeSQL: "SELECT 1", binds: [PostgresBind](repeating: Int16(1).postgresBind, count: 65_536))
            #expect(postgresError { _ = try session.query(tooMany) }?.kind == .protocolViolation)
            #expect(postgresError { _ = try session.query("SELECT 1\0; SELECT 2") }?.kind == .protocolViolation)
            #expect(postgresError { _ = try session.pipeline(["SELECT 1", tooMany]) }?.kind == .protocolViolation)
            let rows = try session.query("SELECT 1")
            #expect(rows.count == 1)
        }
    }

    @Test func `one statement per query: a second one is refused`() async throws {
        let error = try await withSuperuserSession { session in postgresError { _ = try session.query("SELECT 1; SELECT 2") } }
        #expect(error?.sqlState == .syntaxError)
    }

    @Test func `a script runs several statements and stops at the first error`() async throws {
        try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TEMP TABLE scripted (n int); INSERT INTO scripted VALUES (1), (2)")
            let error = postgresError { try session.unsafeScript("DELETE FROM scripted; SELECT 1/0; SELECT 1") }
            #expect(error?.sqlState == .divisionByZero)
            #expect(try session.query("SELECT count(*) FROM scripted")[0].decode(Int64.self) == 2)
        }
    }

    @Test func `COPY is refused and its session retired`() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        let error = await postgresFailure {
            try await connection.withSession { session in try session.unsafeScript("COPY pg_class TO STDOUT") }
        }
        #expect(error?.kind == .protocolViolation)
        #expect(await connection.isHealthy == false)
    }

    @Test func `the text of an error holds neither SQL, nor values, nor the password; the reflection shows all`() async throws {
        try await withSuperuserSession { session in
            try session.unsafeScript("CREATE TEMP TABLE private (secret text PRIMARY KEY); INSERT INTO private VALUES ('4111111111111111')")
            let error = try #require(postgresError { try session.execute("INSERT INTO private VALUES (\("4111111111111111"))") })
            #expect(error.sqlState == .uniqueViolation)
            #expect("\(error)".contains("private_pkey"))
            #expect(!"\(error)".contains("4111"))
            #expect(!"\(error)".contains("INSERT"))
            #expect(String(reflecting: error).contains("4111"))
            #expect(String(reflecting: error).contains("INSERT"))
        }
        let database = try await PostgresServer.shared().makeDatabase()
        let configuration = try PostgresConfiguration(
            url: database.server.url(database: database.name, user: database.roles.serving, password: "wrong-secret"))
        let refusal = try #require(await postgresFailure { _ = try await PostgresConnection.connect(configuration) })
        #expect(refusal.kind == .connectFailed)
        for text in ["\(refusal)", String(reflecting: refusal), "\(configuration)", String(reflecting: configuration)] {
            #expect(!text.contains("wrong-secret"))
        }
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("wrong-secret"))
    }

    @Test func `a server that does not answer fails within the connect time-out`() async throws {
        let port = try FreePort.any()
        let error = await postgresFailure {
            _ = try await PostgresConnection.connect(PostgresConfiguration(url: "postgres://a:s3cret@127.0.0.1:\(port)/b"))
        }
        #expect(error?.kind == .connectFailed)
        #expect(error.map { "\($0)" }?.contains("s3cret") == false)
    }
}
