import Redis
import RequestSigning
import ServiceRuntime
import TestSupport
import Testing

@testable import ReplayProtection

@Suite("The replay window that replicas share")
struct RedisReplayWindowTests {
    @Test("a request counts once at all replicas together, whether it may come twice or not; another nonce, key or service is another request")
    func shared() async throws {
        let server = try await RedisServer.start(password: "secret")
        try await Replica.with(2, server.url()) { replicas in
            for isRepeatable in [true, false] {
                let request = Replica.request("nonce-\(isRepeatable)")
                #expect(await replicas[0].refusal(of: request, isRepeatable: isRepeatable) == nil)
                #expect(await replicas[1].refusal(of: request, isRepeatable: isRepeatable) == .replayed)
                #expect(await replicas[0].refusal(of: request, isRepeatable: isRepeatable) == .replayed)
            }
            #expect(await replicas[1].refusal(of: Replica.request("other"), isRepeatable: false) == nil)
            #expect(await replicas[1].refusal(of: Replica.request("nonce-false", keyID: "k2"), isRepeatable: false) == nil)
            #expect(replicas.allSatisfy { $0.count("replay_window_fallbacks_total") == 0 })
        }
        try await Replica.with(1, server.url(), service: "identity") { replicas in
            #expect(await replicas[0].refusal(of: Replica.request("nonce-false"), isRepeatable: false) == nil)
        }
    }

    @Test("one of many that race with the same request at two replicas is let in")
    func race() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(2, server.url()) { replicas in
            let requests = (0..<50).map { Replica.request("race-\($0)") }
            let admitted = await withTaskGroup(of: Bool.self) { group in
                for request in requests {
                    for number in 0..<8 { group.addTask { await replicas[number % 2].refusal(of: request, isRepeatable: false) == nil } }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(admitted == requests.count)
        }
    }

    @Test("a key is short, names its service and is kept until no replica's clock lets the signature pass")
    func keys() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(1, server.url()) { replicas in
            let window = try #require(replicas[0].protection.window as? RedisReplayWindow)
            let longest = String(repeating: "x", count: SignatureProfile.maximumParameterLength)
            let request = Replica.request(longest, keyID: longest)
            let key = window.key(of: request)
            #expect(key.count <= 64 && key.starts(with: "replay:wallet-ledger:".utf8))
            #expect(window.key(of: Replica.request("b", keyID: "a")) != window.key(of: Replica.request("a", keyID: "b")))
            let now = Replica.now
            #expect(await replicas[0].refusal(of: request, isRepeatable: false, now: now) == nil)
            let probe = RedisClient(
                configuration: try RedisConfiguration(url: server.url(), clientName: "probe"), logger: replicas[0].logger)
            try await probe.connect()
            let left = try await probe.send(RedisCommand("PTTL", [key])).integer ?? 0
            let wanted = (request.expires + 2 * SignatureProfile.clockSkewSeconds - now) * 1_000
            #expect((wanted - 5_000...wanted).contains(left))
        }
    }

    @Test("what is expired or lives too long is refused without Redis")
    func times() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(1, server.url()) { replicas in
            let now = Replica.now
            let over = Replica.request("over", created: now - 40, lifetime: 30)
            #expect(await replicas[0].refusal(of: over, isRepeatable: true, now: now) == .expired)
            let long = Replica.request("long", created: now + 20, lifetime: 30)
            #expect(await replicas[0].refusal(of: long, isRepeatable: true, now: now) == .invalid(.lifetime))
        }
    }

    @Test("without Redis: what may come twice goes on, once per replica, anything else is unavailable; with it again it decides again")
    func outage() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(2, server.url()) { replicas in
            let replica = replicas[0]
            // The window's clock stands still, however long this takes.
            let now = Replica.now
            #expect(await replica.isHealthy())
            #expect(await replica.refusal(of: Replica.request("a", created: now + 3), isRepeatable: false, now: now) == nil)
            server.stop()
            #expect(await replica.refusal(of: Replica.request("b", created: now + 3), isRepeatable: true, now: now) == nil)
            #expect(await replica.refusal(of: Replica.request("b", created: now + 3), isRepeatable: true, now: now) == .replayed)
            #expect(await replica.refusal(of: Replica.request("c", created: now + 3), isRepeatable: false, now: now) == .replayWindowUnavailable)
            #expect(await replica.refusal(of: Replica.request("d", created: now + 3), isRepeatable: false, now: now) == .replayWindowUnavailable)
            #expect(await !replica.isHealthy())
            #expect(replica.count("replay_window_fallbacks_total") == 2 && replica.count("replay_window_unavailable_total") == 2)
            #expect(replica.lines.count("warning: the replay window is unreachable") == 1, "\(replica.lines.all)")

            try await server.start()
            for replica in replicas { #expect(try await eventually { await replica.isHealthy() }) }
            #expect(await replica.refusal(of: Replica.request("e", created: now + 3), isRepeatable: false, now: now) == nil)
            #expect(await replicas[1].refusal(of: Replica.request("e", created: now + 3), isRepeatable: false, now: now) == .replayed)
            // What this replica let in by itself, it still knows; the refused ones never counted.
            #expect(await replica.refusal(of: Replica.request("b", created: now + 3), isRepeatable: true, now: now) == .replayed)
            #expect(await replica.refusal(of: Replica.request("c", created: now + 3), isRepeatable: false, now: now) == nil)
            #expect(replica.lines.count("in reach again") == 0)
            let later = now + RedisReplayWindow.quietSeconds + 1
            #expect(await replica.refusal(of: Replica.request("f", created: later + 3), isRepeatable: false, now: later) == nil)
            #expect(await replica.refusal(of: Replica.request("g", created: later + 3), isRepeatable: false, now: later) == nil)
            #expect(replica.lines.count("info: the replay window is reachable again") == 1)
            #expect(replica.count("redis_reconnects_total") == 1)
        }
    }

    @Test("a Redis that stands still holds nobody up")
    func standstill() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(1, server.url(), environment: [:]) { replicas in
            // It stands still until both are answered, which so can't have waited for it.
            server.suspend()
            #expect(await replicas[0].refusal(of: Replica.request("a"), isRepeatable: true) == nil)
            #expect(await replicas[0].refusal(of: Replica.request("b"), isRepeatable: false) == .replayWindowUnavailable)
            server.resume()
            let isBack = try await eventually { await replicas[0].isHealthy() }
            #expect(isBack)
        }
    }

    @Test("a Redis that is full lets nothing in, not even what may come twice, and forgets nothing")
    func full() async throws {
        let server = try await RedisServer.start(settings: ["maxmemory 1"])
        try await Replica.with(1, server.url()) { replicas in
            for isRepeatable in [true, false] {
                let refusal = await replicas[0].refusal(of: Replica.request("a-\(isRepeatable)"), isRepeatable: isRepeatable)
                #expect(refusal == .replayWindowUnavailable)
            }
            #expect(replicas[0].count("replay_window_fallbacks_total") == 0 && replicas[0].count("replay_window_unavailable_total") == 2)
            #expect(replicas[0].lines.count("answered OOM") == 1, "\(replicas[0].lines.all)")
        }
    }

    @Test("a Redis that was restarted knows nothing: what was signed before that and may not come twice is refused")
    func restart() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(1, server.url()) { replicas in
            let replica = replicas[0]
            let (unkeyed, keyed) = (Replica.request("unkeyed", created: Replica.now - 2), Replica.request("keyed", created: Replica.now - 2))
            server.stop()
            try await server.start()
            #expect(try await eventually { await replica.isHealthy() })
            #expect(await replica.refusal(of: unkeyed, isRepeatable: false) == .replayed)
            #expect(await replica.refusal(of: keyed, isRepeatable: true) == nil)
            #expect(await replica.refusal(of: Replica.request("new"), isRepeatable: false) == nil)
        }
    }

    @Test("a process whose clock was an hour ahead when Redis was connected takes new requests once it is right, and knows what is older than Redis")
    func clockWasAhead() async throws {
        let server = try await RedisServer.start()
        let ahead: @Sendable () -> Int64 = { Replica.now + 3_600 }
        try await Replica.with(1, server.url(), clock: ahead) { replicas in
            #expect(await replicas[0].refusal(of: Replica.request("a"), isRepeatable: false) == nil)
            #expect(await replicas[0].refusal(of: Replica.request("b", created: Replica.now - 20, lifetime: 30), isRepeatable: false) == .replayed)
        }
    }

    @Test("a Redis out of reach while the clock was an hour ahead is forgotten once both are right")
    func outageAhead() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(1, server.url()) { replicas in
            let (replica, ahead) = (replicas[0], Replica.now + 3_600)
            server.stop()
            #expect(await replica.refusal(of: Replica.request("a", created: ahead + 3), isRepeatable: true, now: ahead) == nil)
            try await server.start()
            #expect(try await eventually { await replica.isHealthy() })
            #expect(await replica.refusal(of: Replica.request("b", created: Replica.now + 3), isRepeatable: true) != .expired)
            let later = Replica.now + RedisReplayWindow.quietSeconds + SignatureProfile.clockSkewSeconds + 2
            #expect(await replica.refusal(of: Replica.request("c", created: later + 3), isRepeatable: false, now: later) == nil)
            #expect(replica.lines.count("info: the replay window is reachable again") == 1)
        }
    }

    @Test(
        "readiness says what a request would meet: a Redis that is full, takes no writes or denies the keys is degraded",
        arguments: [
            ["maxmemory 1"], ["min-replicas-to-write 1"], ["user default on nopass ~other:* +@all"], ["user default on nopass ~* -@all +ping +info"],
        ])
    func readiness(settings: [String]) async throws {
        let server = try await RedisServer.start(settings: settings)
        try await Replica.with(1, server.url()) { replicas in
            #expect(await replicas[0].refusal(of: Replica.request("a"), isRepeatable: false) == .replayWindowUnavailable)
            #expect(await !replicas[0].isHealthy())
        }
    }

    @Test("a user that may do nothing but set this service's keys is enough")
    func leastPrivilege() async throws {
        let server = try await RedisServer.start(settings: ["user ledger on >secret ~replay:wallet-ledger:* -@all +set +ping"])
        try await Replica.with(1, server.url(user: "ledger", password: "secret")) { replicas in
            #expect(await replicas[0].refusal(of: Replica.request("a"), isRepeatable: false) == nil)
            #expect(await replicas[0].refusal(of: Replica.request("a"), isRepeatable: false) == .replayed)
            #expect(await replicas[0].isHealthy())
        }
    }

    @Test("a verifier asks the window that it was given, and says what the request may")
    func verifier() async throws {
        let server = try await RedisServer.start()
        try await Replica.with(2, server.url()) { replicas in
            let verifiers = try replicas.map {
                RequestVerifier(
                    keys: SigningKeyStore(keys: try SigningKeys(service: "wallet-ledger", outbound: [], inbound: [])),
                    replayWindow: $0.protection.window)
            }
            let request = Replica.request("once")
            try await verifiers[0].admitNonce(request, isRepeatable: false, now: Replica.now)
            await #expect(throws: SignatureRejection.replayed) {
                try await verifiers[1].admitNonce(request, isRepeatable: false, now: Replica.now)
            }
            server.stop()
            try await verifiers[1].admitNonce(Replica.request("twice"), isRepeatable: true, now: Replica.now)
            await #expect(throws: SignatureRejection.replayWindowUnavailable) {
                try await verifiers[1].admitNonce(Replica.request("once more"), isRepeatable: false, now: Replica.now)
            }
        }
    }
}
