import Postgres
import Testing

@Suite struct ConfigurationTests {
    @Test func `a URL is taken apart and its secret is not shown`() throws {
        let configuration = try PostgresConfiguration(url: "postgres://led%20ger:p%40ss@db.internal:6432/wallets?sslmode=verify-full")
        #expect(configuration.host == "db.internal")
        #expect(configuration.port == 6432)
        #expect(configuration.user == "led ger")
        #expect(configuration.database == "wallets")
        #expect("\(configuration)" == "led ger@db.internal:6432/wallets")
        #expect(try PostgresConfiguration(url: "postgresql://a@h/d").port == 5432)
        #expect(configuration.connecting(toDatabase: "other").database == "other")
    }

    @Test(arguments: [
        "", "host=db user=a dbname=b", "http://a:hunter2@h/d", "postgres://a:hunter2@h", "postgres://h/d?password=hunter2",
        "postgres://a:hunter2@/d", "postgres://a:hunter2@h:0/d", "postgres://a:hunter2@h:70000/d", "postgres://a:hunter2@h:x/d",
        "postgres://a:hunter2@h/d?options=-c%20search_path=hunter2", "postgres://a:hunter2@h/d?sslmode=hunter2",
        "postgres://a:hunter2@h/d?service=hunter2", "postgres://a:hunter2@h/d?connect_timeout=hunter2", "postgres://a:hunter2%zz@h/d",
        "postgres://a:hunter2@h/d?connect_timeout=0", "postgres://a:hunter2@h/d?nonsense=hunter2", "postgres://a:hunter2@h/d\0",
    ])
    func `a URL that cannot be used is refused without showing its secret`(url: String) {
        let error = postgresError { _ = try PostgresConfiguration(url: url) }
        #expect(error?.kind == .invalidConfiguration)
        if let error { #expect(!String(reflecting: error).contains("hunter2")) }
    }
}
