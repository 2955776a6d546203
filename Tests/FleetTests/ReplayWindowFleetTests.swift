import Foundation
import RequestSigning
import TestSupport
import Testing

@Suite("Two replicas that share their replay window")
struct ReplayWindowFleetTests {
    @Test("the same bytes count once at both; without Redis only what may come twice goes on; with it again everything does")
    func sharedWindow() async throws {
        let redis = try await RedisServer.start(password: "hunter2")
        // Patient, for a machine with much else to do.
        let settings = ["REPLAY_WINDOW": "redis", "REDIS_URL": redis.url(), "REDIS_TIMEOUT": "5s", "LOG_LEVEL": "info"]
        try await LedgerFleet.with(replicas: 2, settings: settings) { fleet in
            for index in 0..<2 { try fleet.replicas[index].start() }
            for index in 0..<2 { try await fleet.ready(index) }
            let wallets = try await fleet.openWallets(2, funds: 100)
            let token = try await fleet.userToken()
            let signer = RequestSigner(
                keys: try SigningKeyStore(path: SigningKeyFolder(path: fleet.folder).path(of: "mobile-bff")), callee: "wallet-ledger")
            func read() throws -> PlainExchange { try PlainExchange("GET", "/v1/wallets/\(wallets[0])/balance", token: token, by: signer) }
            func transfer() throws -> PlainExchange {
                let body = #"{"source_wallet_id":"\#(wallets[0])","destination_wallet_id":"\#(wallets[1])","amount":1,"currency":"EUR"}"#
                return try PlainExchange("POST", "/v1/transfers", body, token: token, key: UUID().uuidString, by: signer)
            }
            func open() throws -> PlainExchange {
                try PlainExchange("POST", "/v1/wallets", #"{"currency":"EUR"}"#, token: token, by: signer)
            }
            func expectOnce(_ request: PlainExchange, _ status: Int) async throws {
                let first = try await request.send(to: fleet.ports[0])
                #expect(first.status == status, "\(first.text)")
                for port in [fleet.ports[1], fleet.ports[0]] {
                    let again = try await request.send(to: port)
                    #expect(again.status == 401 && again.text.contains("signature_replayed"), "\(again.text)")
                }
            }
            try await expectOnce(read(), 200)
            try await expectOnce(transfer(), 201)
            try await expectOnce(open(), 201)

            redis.stop()
            #expect(try await read().send(to: fleet.ports[0]).status == 200)
            #expect(try await transfer().send(to: fleet.ports[0]).status == 201)
            let refused = try await open().send(to: fleet.ports[0])
            #expect(refused.status == 503 && refused.text.contains(#""code":"unavailable""#), "\(refused.text)")
            #expect(refused.text.lowercased().contains("\r\nretry-after: "))
            let health = try await PlainExchange(target: "/readyz").send(to: fleet.replicas[0].adminPort)
            #expect(health.status == 200 && health.text.contains(#""redis":"degraded""#), "\(health.text)")
            let metrics = try await fleet.metrics(0)
            #expect(metrics.contains("\nreplay_window_fallbacks_total 2\n") && metrics.contains("\nreplay_window_unavailable_total 1\n"))

            try await redis.start()
            for index in 0..<2 { #expect(try await eventually { try await open().send(to: fleet.ports[index]).status == 201 }) }
            try await expectOnce(open(), 201)
            #expect(fleet.replicas[0].end(SIGTERM) == 0)
            let log = try String(contentsOfFile: fleet.replicas[0].output, encoding: .utf8)
            #expect(log.contains("the replay window is unreachable") && !log.contains("hunter2"))
        }
    }

    @Test("a Redis that refuses the password, or none at all, is one line that names the setting, exit 64")
    func refusals() async throws {
        let redis = try await RedisServer.start(password: "right")
        try await LedgerFleet.with(replicas: 1) { fleet in
            func expect(_ named: String, _ url: String) throws {
                let settings = ["REPLAY_WINDOW": "redis", "REDIS_URL": url, "ADMIN_PORT": "0"]
                let run = try LedgerProcess.run(["serve"], environment: fleet.replicas[0].environment.merging(settings) { $1 })
                #expect(run.code == 64 && run.output.contains(named) && !run.output.contains("hunter2"), "\(run.code) \(run.output)")
                #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
            }
            try expect("REDIS_URL is missing", "")
            try expect("REDIS_URL: can't be used: the Redis URL has a user without a password", "redis://hunter2@127.0.0.1")
            try expect("REDIS_URL: can't be used: the server refuses the connection", redis.url(password: "hunter2"))
        }
    }
}
