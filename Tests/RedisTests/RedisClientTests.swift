import Concurrency
import Foundation
import Logging
import Metrics
import NIOCore
import Redis
import Synchronization
import TestSupport
import Testing
import TransportSecurity

@Suite("The client, against real servers")
struct RedisClientTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// Patient, for a machine with much else to do; the tests of time-outs have their own.
    private static let patient = RedisOptions(
        commandTimeout: .seconds(20), connectTimeout: .seconds(10), maximumInFlight: 16_384, silenceLimit: .seconds(30),
        maximumBackoff: .milliseconds(200))

    /// Lends a client that runs, and ends it.
    private static func with(
        _ url: String, _ options: RedisOptions = patient, tls: FleetAuthorities? = nil, connects: Bool = true,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance, _ body: (RedisClient) async throws -> Void
    ) async throws {
        let configuration =
            if let tls {
                try RedisConfiguration(url: url, clientName: "test", tls: { tls.clientConfiguration })
            } else {
                try RedisConfiguration(url: url, clientName: "test")
            }
        let client = RedisClient(configuration: configuration, options: options, logger: quiet, metrics: metrics)
        if connects { try await client.connect() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            do { try await body(client) } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    /// Keeps the one gauge that there is.
    private final class InFlight: MetricsFactory, RecorderHandler {
        let last = Atomic<Int64>(-1)

        func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { NOOPMetricsHandler.instance }
        func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler { self }
        func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
        func destroyCounter(_ handler: any CounterHandler) {}
        func destroyRecorder(_ handler: any RecorderHandler) {}
        func destroyTimer(_ handler: any TimerHandler) {}
        func record(_ value: Int64) { last.store(value, ordering: .relaxed) }
        func record(_ value: Double) { record(Int64(value)) }
    }

    private final class Traffic: Sendable {
        let hasEnded = Atomic<Bool>(false)
        let answered = Atomic<Int>(0)
    }

    /// Waits until a command is answered within its time.
    private static func answers(_ client: RedisClient) async throws {
        try #require(try await eventually { (try? await client.ping()) != nil })
    }

    /// The server's number for the connection, asked for until it is told in time.
    private static func connectionID(_ client: RedisClient) async throws -> Int64 {
        var id: Int64?
        _ = try await eventually {
            id = (try? await client.send(RedisCommand("CLIENT ID")))?.integer
            return id != nil
        }
        return try #require(id)
    }

    private static func failure(_ client: RedisClient, _ command: RedisCommand) async -> RedisError? {
        do throws(RedisError) {
            _ = try await client.send(command)
            return nil
        } catch {
            return error
        }
    }

    @Test("the commands that are needed do what they say")
    func commands() async throws {
        let server = try await RedisServer.start()
        try await Self.with(server.url(database: 3)) { client in
            try await client.ping()
            let (key, value) = (Array("key\r\n".utf8), [UInt8](0...255))
            #expect(try await client.setIfAbsent(key, to: value, milliseconds: 60_000))
            #expect(try await client.setIfAbsent(key, to: [], milliseconds: 60_000) == false)
            #expect(try await client.send(RedisCommand("GET", [key])) == .bulk(value))
            let remaining = try await client.send(RedisCommand("PTTL", [key])).integer ?? 0
            #expect((1...60_000).contains(remaining))
            #expect(try await client.send(RedisCommand("DEL", [key])) == .integer(1))
            #expect(try await client.setIfAbsent(key, to: value, milliseconds: 20))
            #expect(try await eventually { try await client.send(RedisCommand("GET", [key])) == .null })
            #expect(try await client.send(RedisCommand("CLIENT GETNAME")) == .bulk(Array("test".utf8)))
            #expect(try await client.send(RedisCommand("CLIENT INFO")).text?.contains(" db=3 ") == true)
            #expect(
                await Self.failure(client, RedisCommand("NONSENSE", "x"))
                    == .server(RedisServerError(message: "ERR unknown command 'NONSENSE', with args beginning with: 'x' ")))
            #expect(await Self.failure(client, RedisCommand("ECHO", [[UInt8](repeating: 0, count: RedisCommand.maximumBytes)])) == .commandTooLarge)
        }
    }

    @Test("10 000 commands at once: every caller gets the reply to their own, in the order in which the server had them")
    func pipelining() async throws {
        let server = try await RedisServer.start()
        try await Self.with(server.url()) { client in
            let count = 10_000
            // The reply to a push is the length after it: the place where the list must hold what this caller pushed.
            let places = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for number in 0..<count {
                    group.addTask {
                        async let set = client.setIfAbsent(Array("k\(number)".utf8), to: Array("\(number)".utf8), milliseconds: 60_000)
                        let length = try await client.send(RedisCommand("RPUSH", "list", "\(number)")).integer ?? 0
                        #expect(try await set)
                        return (number, Int(length))
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.1] = $1.0 }
            }
            #expect(places.count == count)
            let list = try await client.send(RedisCommand("LRANGE", "list", "0", "-1")).array ?? []
            #expect(list.enumerated().allSatisfy { $0.element.text == places[$0.offset + 1].map(String.init) })
            #expect(try await client.send(RedisCommand("GET", "k4711")).text == "4711")
        }
    }

    @Test("a wrong password, a missing one, a wrong user and a database that is not there are said in words, without the password")
    func logIn() async throws {
        let server = try await RedisServer.start(password: "right-hunter2", settings: ["user app on >app-hunter2 ~app:* +@all"])
        func refusal(_ url: String) async throws -> String {
            do throws(RedisError) {
                let client = RedisClient(
                    configuration: try RedisConfiguration(url: url, clientName: "test"), options: Self.patient, logger: Self.quiet)
                try await client.connect()
                return "accepted"
            } catch {
                #expect(!String(reflecting: error).contains("hunter2"))
                return error.description
            }
        }
        #expect(try await refusal(server.url(password: "wrong-hunter2")).contains("user or password is wrong"))
        #expect(try await refusal("redis://127.0.0.1:\(server.port)").contains("wants a password"))
        #expect(try await refusal(server.url(user: "nobody", password: "app-hunter2")).contains("user or password is wrong"))
        #expect(try await refusal(server.url(database: 99)).contains("database"))
        let open = try await RedisServer.start()
        #expect(try await refusal(open.url(password: "any-hunter2")).contains("does not accept"))
        try await Self.with(server.url(user: "app", password: "app-hunter2")) { client in
            let isKept = try await client.setIfAbsent(Array("app:1".utf8), to: [1], milliseconds: 1_000)
            #expect(isKept)
            guard case .server(let error) = await Self.failure(client, RedisCommand("GET", "other")) else {
                Issue.record("allowed")
                return
            }
            #expect(error.code == "NOPERM")
        }
    }

    @Test("TLS: a server that the authorities vouch for, another's authorities, another host's certificate, plain text where TLS is spoken")
    func encryption() async throws {
        let (ours, other) = (try await TestAuthority(), try await TestAuthority())
        let issued = try await ours.issue("redis", hosts: "IP:127.0.0.1")
        let encryption = RedisServer.Encryption(certificate: issued.certificate, key: issued.key, authorities: ours.certificate)
        let server = try await RedisServer.start(password: "secret", encryption: encryption)
        let trusted = try FleetAuthorities(file: ours.certificate)
        try await Self.with(server.url(), tls: trusted) { try await $0.ping() }
        let elsewhere = try await ours.issue("elsewhere", hosts: "DNS:elsewhere")
        let misplaced = try await RedisServer.start(
            encryption: RedisServer.Encryption(certificate: elsewhere.certificate, key: elsewhere.key, authorities: ours.certificate))
        for (url, authorities) in [
            (server.url(), try FleetAuthorities(file: other.certificate)), (misplaced.url(), trusted), (misplaced.url(host: "localhost"), trusted),
            (server.url().replacingOccurrences(of: "rediss:", with: "redis:"), trusted),
        ] {
            await #expect(throws: RedisError.self) { try await Self.with(url, tls: authorities) { _ in Issue.record("\(url)") } }
        }
    }

    @Test("a server that is killed and started again under traffic: errors meanwhile, then answers again, each caller's own")
    func restart() async throws {
        let server = try await RedisServer.start()
        try await Self.with(server.url()) { client in
            let traffic = Traffic()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var number = 0
                        while !traffic.hasEnded.load(ordering: .relaxed) {
                            number += 1
                            guard let reply = try? await client.send(RedisCommand("ECHO", "\(worker)-\(number)")) else {
                                _ = try await eventually { (try? await client.ping()) != nil || traffic.hasEnded.load(ordering: .relaxed) }
                                continue
                            }
                            #expect(reply.text == "\(worker)-\(number)")
                            traffic.answered.add(1, ordering: .relaxed)
                        }
                    }
                }
                for _ in 0..<3 {
                    let goal = traffic.answered.load(ordering: .relaxed) + 100
                    #expect(try await eventually(within: .seconds(30)) { traffic.answered.load(ordering: .relaxed) >= goal })
                    server.stop()
                    #expect(try await eventually { (try? await client.ping()) == nil })
                    try await server.start()
                }
                try await Self.answers(client)
                traffic.hasEnded.store(true, ordering: .relaxed)
                try await group.waitForAll()
            }
        }
    }

    @Test("a client that starts before its server connects as soon as that is there")
    func lateServer() async throws {
        let server = try await RedisServer.start()
        server.stop()
        try await Self.with(server.url(), connects: false) { client in
            #expect(await Self.failure(client, RedisCommand("PING")) == .notConnected)
            try await server.start()
            #expect(try await eventually { (try? await client.ping()) != nil })
        }
    }

    @Test("a server that stands still: time-outs, no more than the bound in flight, and afterwards nobody gets another's reply")
    func standstill() async throws {
        let server = try await RedisServer.start()
        var options = Self.patient
        options.commandTimeout = .milliseconds(100)
        options.maximumInFlight = 64
        try await Self.with(server.url(), options) { client in
            try await Self.answers(client)
            server.suspend()
            let failures = await withTaskGroup(of: RedisError?.self) { group in
                for number in 0..<200 { group.addTask { await Self.failure(client, RedisCommand("ECHO", "stale-\(number)")) } }
                return await group.reduce(into: [RedisError: Int]()) { if let error = $1 { $0[error, default: 0] += 1 } }
            }
            #expect(failures == [.timedOut: 64, .tooManyInFlight: 136])
            server.resume()
            // 64 late replies come first; none of them may reach a later caller.
            #expect(try await eventually { (try? await client.send(RedisCommand("ECHO", "again")))?.text == "again" })
            for number in 0..<500 {
                let reply = try? await client.send(RedisCommand("ECHO", "fresh-\(number)"))
                #expect(reply == nil || reply?.text == "fresh-\(number)")
            }
        }
    }

    @Test("a server that stands still for too long is given up for a new connection")
    func dead() async throws {
        let server = try await RedisServer.start()
        var options = Self.patient
        options.commandTimeout = .milliseconds(100)
        options.silenceLimit = .milliseconds(500)
        try await Self.with(server.url(), options) { client in
            let first = try await Self.connectionID(client)
            server.suspend()
            #expect(await Self.failure(client, RedisCommand("PING")) == .timedOut)
            #expect(try await eventually { await Self.failure(client, RedisCommand("PING")) == .notConnected })
            server.resume()
            #expect(try await Self.connectionID(client) != first)
        }
    }

    @Test("nothing is in flight on a connection that has ended")
    func nothingInFlight() async throws {
        let server = try await RedisServer.start()
        let inFlight = InFlight()
        try await Self.with(server.url(), metrics: inFlight) { client in
            try await client.ping()
            server.suspend()
            async let failure = Self.failure(client, RedisCommand("PING"))
            #expect(try await eventually { inFlight.last.load(ordering: .relaxed) == 1 })
            server.stop()
            #expect(await failure == .connectionLost)
            #expect(try await eventually { inFlight.last.load(ordering: .relaxed) == 0 })
        }
    }

    @Test("a caller who is cancelled is told at once; the reply that comes later reaches nobody else")
    func cancellation() async throws {
        let server = try await RedisServer.start()
        try await Self.with(server.url()) { client in
            try await client.ping()
            server.suspend()
            let waiting = Task { await Self.failure(client, RedisCommand("ECHO", "cancelled")) }
            async let other = client.send(RedisCommand("ECHO", "other"))
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
            server.resume()
            #expect(try await other.text == "other")
            #expect(try await client.send(RedisCommand("ECHO", "next")).text == "next")
        }
    }

    @Test(
        "what is no Redis is left, with the reason",
        arguments: [
            ("HTTP/1.1 400 Bad Request\r\n", RedisError.malformedReply(.unknownType)), ("+OK\r\n+OK\r\n", .malformedReply(.unsolicited)),
            (":1\r\n", .unexpectedReply), ("$99999999999\r\n", .malformedReply(.replyTooLarge)),
        ])
    func garbage(_ answer: String, _ expected: RedisError) async throws {
        try await GarbageServer.with(answer) { server in
            let client = RedisClient(
                configuration: try RedisConfiguration(url: "redis://:secret@127.0.0.1:\(server.port)/1", clientName: "test"),
                options: Self.patient, logger: Self.quiet)
            do throws(RedisError) {
                // An unasked-for reply ends the connection behind an answer that was right: the next command finds it gone.
                try await client.connect()
                try await client.ping()
                Issue.record("\(answer) is taken for Redis")
            } catch {
                #expect(error == expected, "\(error)")
            }
        }
    }

    @Test("a server that has no room says so: nothing is evicted")
    func outOfMemory() async throws {
        let server = try await RedisServer.start(settings: ["maxmemory 2mb"])
        try await Self.with(server.url()) { client in
            try await client.ping()
            var refusal: RedisError?
            var kept = 0
            while refusal == nil, kept < 10_000 {
                let key = Array("k\(kept)".utf8)
                refusal = await Self.failure(client, .setIfAbsent(key, to: [UInt8](repeating: 1, count: 10_000), milliseconds: 600_000))
                kept += refusal == nil ? 1 : 0
            }
            #expect(refusal?.isOutOfMemory == true)
            #expect(try await client.send(RedisCommand("DBSIZE")) == .integer(Int64(kept)))
        }
    }

    @Test("the wait before a reconnect is anything up to a bound that doubles, and never beyond the largest")
    func backoff() {
        var generator = SeededGenerator(seed: 7)
        let options = RedisOptions(firstBackoff: .milliseconds(50), maximumBackoff: .seconds(2))
        for (attempt, bound) in [(1, 50), (2, 100), (3, 200), (6, 1_600), (7, 2_000), (500, 2_000)] {
            let waits = (0..<200).map { _ in options.backoff.pause(after: attempt, using: &generator) }
            #expect(waits.allSatisfy { $0 >= .zero && $0 <= .milliseconds(bound) })
            #expect(waits.contains { $0 < .milliseconds(bound / 2) } && waits.contains { $0 > .milliseconds(bound / 2) })
        }
    }
}
