import Contracts
import Observability
import ServiceRuntime
import TestSupport
import Testing

/// Rate, errors and duration, by route.
@Suite struct HTTPMetricsTests {
    /// How many requests of a route were answered so.
    private func count(_ api: LedgerAPI, _ method: String, _ route: String, _ status: Int) -> Int {
        let series = "http_server_requests_total{method=\"\(method)\",route=\"\(route)\",status=\"\(status)\"} "
        return api.metrics.render().split(separator: "\n").first { $0.hasPrefix(series) }.flatMap { Int($0.dropFirst(series.count)) } ?? 0
    }

    @Test("a request counts under its route's template, refused or not")
    func templates() async throws {
        let world = try await LedgerWorld.new()
        let wallet = try await world.wallet()
        let route = "/v1/wallets/{id}"
        let before = [200, 401, 404].map { count(world.api, "GET", route, $0) }
        _ = try await world.api.send(SignedCall("GET", "/v1/wallets/\(wallet)", as: world.user))
        var unsigned = SignedCall("GET", "/v1/wallets/\(wallet)", as: world.user)
        unsigned.isSigned = false
        _ = try await world.api.send(unsigned)
        _ = try await world.api.send(SignedCall("GET", "/v1/wallets/wal_01900000000000000000000000", as: world.user))
        let after = [200, 401, 404].map { count(world.api, "GET", route, $0) }
        #expect(zip(before, after).allSatisfy { $0 < $1 }, "\(before) \(after)")

        let forbidden = count(world.api, "POST", "/v1/deposits", 403)
        let deposit = SignedCall("POST", "/v1/deposits", LedgerWorld.funding(wallet, 5), as: world.user, key: LedgerWorld.newKey())
        #expect(try await world.api.send(deposit).status == 403)
        #expect(count(world.api, "POST", "/v1/deposits", 403) > forbidden)
        #expect(world.api.metrics.render().contains("http_server_request_seconds_bucket{method=\"GET\",route=\"\(route)\",le=\"0.005\"}"))
    }

    @Test("requests without a route are one label, whatever somebody makes up")
    func unrouted() async throws {
        let world = try await LedgerWorld.new()
        for path in ["/v1/nothing", "/.env", "/v1/wallets/\(try await world.wallet())/secrets"] {
            #expect(try await world.api.send(SignedCall("GET", path, as: world.user)).status == 404)
        }
        #expect(try await world.api.send(SignedCall("DELETE", "/v1/transfers", as: world.user)).status == 405)
        #expect(count(world.api, "any", "unrouted", 404) >= 3 && count(world.api, "any", "unrouted", 405) >= 1)
        let known = Set(world.api.routes.map { $0.split(separator: " ").last.map(String.init) ?? "" } + ["unrouted"])
        for match in world.api.metrics.render().matches(of: /route="([^"]*)"/) { #expect(known.contains(String(match.1)), "\(match.1)") }
    }

    @Test("pool, queue and process are read when they are asked for, and every metric says what it means")
    func observations() async throws {
        let world = try await LedgerWorld.new()
        _ = try await world.wallet()
        let lines = world.api.metrics.render().split(separator: "\n").map(String.init)
        func value(_ series: String) -> Double? {
            lines.first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.count + 1)) }
        }
        #expect(value(#"postgres_pool_connections_limit{pool="primary"}"#) == 8)
        #expect(value(#"postgres_pool_acquired_total{pool="primary"}"#).map { $0 >= 1 } == true)
        #expect(value(#"postgres_pool_wait_seconds_count{pool="primary"}"#).map { $0 >= 1 } == true)
        #expect(value(#"postgres_pool_connections{pool="primary",state="idle"}"#) != nil && value(#"postgres_pool_waiters{pool="primary"}"#) != nil)
        #expect(value("ledger_queue_capacity") == 1_024 && value("ledger_queue_depth") != nil)
        #expect(value("process_cpu_seconds_total").map { $0 > 0 } == true)
        #expect(value("process_resident_memory_bytes").map { $0 > 1_048_576 } == true)
        #expect(value("process_open_fds").map { $0 > 2 && $0 <= value("process_max_fds") ?? 0 } == true)
        #expect(value("process_start_time_seconds").map { $0 > Double(LedgerAPI.now - 3_600) && $0 <= Double(LedgerAPI.now) + 1 } == true)
        #expect(value(#"florin_build_info{service="wallet-ledger",version="unknown"}"#) == 1)
        for line in lines where line.hasPrefix("# HELP ") {
            let parts = line.split(separator: " ", maxSplits: 3)
            #expect(parts.count == 4 && parts[3].contains(" ") && parts[3].hasSuffix("."), "\(line)")
        }
    }
}
