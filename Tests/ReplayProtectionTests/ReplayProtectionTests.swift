import RequestSigning
import ServiceRuntime
import TestSupport
import Testing

@testable import ReplayProtection

@Suite("What the settings make of the replay window")
struct ReplayProtectionTests {
    private static func problem(_ environment: [String: String]) async -> String {
        do {
            let values = try SettingsReader(environment: environment).read([FlorinEnvironment.setting] + ReplayWindowSettings.declared)
            let target = try ReplayProtection.target(try ReplayWindowSettings(values), service: "wallet-ledger", authorities: nil)
            return target.map { "\($0)" } ?? "in-process"
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "the window is shared unless asked for otherwise, which production refuses; the URL is needed, checked and never shown",
        arguments: [
            ([:], "REDIS_URL is missing: REPLAY_WINDOW=redis needs it"),
            (["REPLAY_WINDOW": "in-process"], "REPLAY_WINDOW=in-process is refused in production"),
            (["FLORIN_ENVIRONMENT": "local", "REPLAY_WINDOW": "in-process"], "in-process"),
            (["FLORIN_ENVIRONMENT": "local", "REPLAY_WINDOW": "none"], "REPLAY_WINDOW=none is not accepted: expected redis or in-process"),
            (["REDIS_URL": "redis://:hunter2@redis"], "redis://redis:6379/0"),
            (["REDIS_URL": "https://hunter2"], "REDIS_URL is not accepted: expected an address beginning with redis:// or rediss://"),
            (["REDIS_URL": "redis://hunter2@redis"], "REDIS_URL: can't be used: the Redis URL has a user without a password"),
            (["REDIS_URL": "rediss://redis", "REDIS_CA_FILE": "/nonexistent"], "REDIS_CA_FILE: /nonexistent cannot be read"),
        ] as [([String: String], String)])
    func settings(_ environment: [String: String], _ outcome: String) async {
        let problem = await Self.problem(environment)
        #expect(problem == outcome)
        #expect(!problem.contains("hunter2"))
    }

    @Test("a Redis that refuses us stops the start; one that does not answer does not")
    func start() async throws {
        let server = try await RedisServer.start(password: "right")
        do {
            _ = try await Replica(server.url(password: "hunter2"))
            Issue.record("started")
        } catch let error as InvalidConfiguration {
            #expect("\(error)" == "REDIS_URL: can't be used: the server refuses the connection: user or password is wrong")
        }
        server.stop()
        let replica = try await Replica(server.url())
        #expect(replica.lines.count("warning: started without the shared replay window") == 1)
        #expect(await !replica.isHealthy())
        #expect(await replica.refusal(of: Replica.request("a"), isRepeatable: true) == nil)
        #expect(await replica.refusal(of: Replica.request("b"), isRepeatable: false) == .replayWindowUnavailable)
    }

    @Test("a rediss address is verified against the authorities that are given, by default the system's")
    func encryption() async throws {
        let authority = try await TestAuthority()
        let issued = try await authority.issue("redis", hosts: "IP:127.0.0.1")
        let server = try await RedisServer.start(
            password: "right",
            encryption: RedisServer.Encryption(certificate: issued.certificate, key: issued.key, authorities: authority.certificate))
        let replica = try await Replica(server.url(), environment: ["REDIS_CA_FILE": authority.certificate, "REDIS_TIMEOUT": "5s"])
        #expect(await replica.refusal(of: Replica.request("a"), isRepeatable: false) == nil)
        let distrustful = try await Replica(server.url())
        #expect(distrustful.lines.count("nobody trusted vouches for the certificate") == 1, "\(distrustful.lines.all)")
        #expect(await distrustful.refusal(of: Replica.request("b"), isRepeatable: false) == .replayWindowUnavailable)
    }

    @Test("a Redis that may evict is warned of, at each connection")
    func policy() async throws {
        let server = try await RedisServer.start(settings: ["maxmemory-policy allkeys-lru"])
        #expect(try await Replica(server.url()).lines.count("warning: Redis may evict nonces") == 1)
        let safe = try await RedisServer.start()
        #expect(try await Replica(safe.url()).lines.count("warning") == 0)
    }

    @Test("the window in the process refuses what was signed before its start, and requests are taken from the next second on")
    func inProcess() async throws {
        let protection = try await ReplayProtection.compose(
            nil, service: "wallet-ledger", timeout: .seconds(1), logger: Replica.quiet, now: { 1_000 })
        // By the clock that nobody sets: one that is ahead at the start would keep the process from taking requests.
        let wait = ContinuousClock.now.duration(to: protection.takesRequestsFrom)
        #expect(wait <= .milliseconds(1_010) && protection.services.isEmpty && protection.healthChecks.isEmpty)
        let before = Replica.request("a", created: 1_000)
        await #expect(throws: SignatureRejection.replayed) { try await protection.window.admit(before, isRepeatable: true, now: 1_001) }
        try await protection.window.admit(Replica.request("b", created: 1_001), isRepeatable: false, now: 1_001)
    }
}
