import Redis
import Testing

@Suite("The Redis URL")
struct RedisConfigurationTests {
    @Test(
        "what it names",
        arguments: [
            ("redis://host", "redis://host:6379/0"), ("rediss://host:7000/3", "rediss://host:7000/3"),
            ("redis://:p%40ss@h.example/", "redis://h.example:6379/0"),
            ("redis://user:p:w@127.0.0.1:1", "redis://127.0.0.1:1/0"), ("redis://[::1]:7000/1", "redis://::1:7000/1"),
        ])
    func accepted(_ url: String, _ shown: String) throws {
        let configuration = try RedisConfiguration(url: url, clientName: "test")
        #expect("\(configuration)" == shown && String(reflecting: configuration) == shown)
    }

    @Test(
        "what it must not be, said without its password",
        arguments: [
            ("http://hunter2@host", "must begin with redis://"), ("redis://", "has no host"), ("redis://:hunter2@", "has no host"),
            ("redis://hunter2@host", "has a user without a password"), ("redis://user:@host", "has an empty password"),
            ("redis://:hunter2@host:0", "port"), ("redis://:hunter2@host:65536", "port"), ("redis://:hunter2@host:", "port"),
            ("redis://:hunter2@host:+1", "port"), ("redis://:hunter2@host/x", "database"), ("redis://:hunter2@host/1024", "database"),
            ("redis://:hunter2@host/-1", "database"), ("redis://:hunter2%4@host", "begins no escape"), ("redis://:hunter2%ff@host", "not UTF-8"),
            ("redis://:hunter2@host?db=1", "parameters"), ("redis://:hunter2#@host", "parameters"), ("redis://:hunter2 @host", "percent-encoded"),
            ("redis://:hunter2/x@host", "database"), ("redis://:hunter2@ho_st!", "host"), ("redis://:hunter2@[::1", "IPv6"),
            ("redis://:hunter2@[::1]x", "host"), ("redis://:hunter2@[x]", "host"),
        ])
    func refused(_ url: String, _ reason: String) {
        do throws(RedisError) {
            let configuration = try RedisConfiguration(url: url, clientName: "test")
            Issue.record("accepted as \(configuration)")
        } catch {
            #expect(error.description.contains(reason), "\(error)")
            #expect(!error.description.contains("hunter2") && !String(reflecting: error).contains("hunter2"))
        }
    }

    @Test("a command shows its name, no argument")
    func commands() {
        let command = RedisCommand("AUTH", "hunter2")
        #expect("\(command)" == "AUTH" && !String(reflecting: command).contains("hunter2"))
    }
}
