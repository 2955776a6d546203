import Testing

@testable import AMQP

@Suite struct AMQPConfigurationTests {
    @Test func `a URL is read with its defaults`() throws {
        let plain = try AMQPConfiguration(url: "amqp://florin:secret@broker")
        #expect(plain.host == "broker" && plain.port == 5672 && plain.virtualHost == "/" && plain.user == "florin")
        #expect(plain.password == "secret" && !plain.isEncrypted && plain.heartbeat == .seconds(10))
        let full = try AMQPConfiguration(
            url: "amqps://fl%6Frin:s%40c%2Fret%3A@[::1]:5673/prod%2Fa?cacertfile=/etc/ca.pem&heartbeat=5&connection_timeout=250")
        #expect(full.host == "::1" && full.port == 5673 && full.virtualHost == "prod/a" && full.user == "florin")
        #expect(full.password == "s@c/ret:" && full.encryption?.authorityFile == "/etc/ca.pem")
        #expect(full.heartbeat == .seconds(5) && full.connectTimeout == .milliseconds(250))
        #expect(try AMQPConfiguration(url: "amqps://a:b@c/%2F", authorityFile: "/ca").port == 5671)
        #expect(try AMQPConfiguration(url: "amqp://a:b@c/%2F").virtualHost == "/")
    }

    @Test(
        "a URL that can't be used is refused, and the reason tells no secret",
        arguments: [
            "http://florin:hunter2@broker", "florin:hunter2@broker", "amqp://florin:hunter2@", "amqp://broker", "amqp://hunter2@broker",
            "amqp://:hunter2@broker", "amqp://florin:hunter2@broker:0", "amqp://florin:hunter2@broker:70000",
            "amqp://florin:hunter2@broker:x", "amqp://florin:hunter2@broker/", "amqp://florin:hunter2@broker/a/b",
            "amqp://florin:hunter2@broker?frame_max=1", "amqp://florin:hunter2@broker?heartbeat=0", "amqp://florin:hunter2@broker?heartbeat",
            "amqp://florin:hunter2@broker?heartbeat=5&heartbeat=6", "amqps://florin:hunter2@broker",
            "amqps://florin:hunter2@broker?cacertfile=/c&keyfile=/k", "amqp://florin:hunter2@broker?cacertfile=/c",
            "amqp://florin:hunter2%@broker", "amqp://florin:hunter2%zz@broker", "amqp://florin:hunter2%00@broker", "amqp://fl:hunter2@br#a",
            "amqp://florin:hunter2%ff@broker", "amqp://florin:hunter2@[::1", "amqp://florin:hunter2@a:b:c",
        ])
    func refused(url: String) throws {
        let error = #expect(throws: AMQPError.self) { try AMQPConfiguration(url: url) }
        #expect(error?.kind == .invalidConfiguration)
        #expect(error.map { !String(reflecting: $0).contains("hunter2") } == true)
    }

    @Test func `no description shows the password`() throws {
        let configuration = try AMQPConfiguration(url: "amqp://florin:hunter2@broker/a")
        #expect("\(configuration)" == "amqp://florin@broker:5672 a")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2") && !String(reflecting: configuration).contains("hunter2"))
    }
}
