import Foundation
import Logging
import Metrics
import TestSupport
import Testing

@testable import Observability
@testable import ServiceRuntime

@Suite("Admin server")
struct AdminServerTests {
    struct Down: Error {}

    /// Runs a server on a port of its own for the time of the body.
    private func withServer(
        readiness: Readiness = Readiness(), checks: [HealthCheck] = [], metrics: PrometheusRegistry = PrometheusRegistry(),
        _ body: (_ port: Int) async throws -> Void
    ) async throws {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = AdminServer(
            host: "127.0.0.1", port: 0, readiness: readiness, checks: checks, metrics: metrics, logger: logger,
            onListening: { continuation.yield($0) })
        let group = ProcessGroup(
            services: [server], readiness: Readiness(), drainDelay: .zero, drainTimeout: .seconds(10), trapsSignals: false, logger: logger)
        async let running: Void = group.run()
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        do {
            try await body(port)
        } catch {
            await group.drain()
            throw error
        }
        await group.drain()
        try await running
    }

    @Test("/livez says that the process is there, whatever its phase")
    func livez() async throws {
        try await withServer { port in
            let answer = try await PlainHTTP.get("/livez", port: port)
            #expect(answer.status == 200)
            #expect(answer.body == #"{"status":"ok"}"#)
        }
    }

    @Test("/readyz follows the phase: 503 before the start, 200, 503 once it drains")
    func phases() async throws {
        let readiness = Readiness()
        try await withServer(readiness: readiness) { port in
            let starting = try await PlainHTTP.get("/readyz", port: port)
            #expect(starting.status == 503)
            #expect(starting.body == #"{"status":"starting","checks":{}}"#)
            readiness.started()
            let ready = try await PlainHTTP.get("/readyz", port: port)
            #expect(ready.status == 200)
            #expect(ready.body == #"{"status":"ok","checks":{}}"#)
            readiness.drain()
            readiness.started()
            let draining = try await PlainHTTP.get("/readyz", port: port)
            #expect(draining.status == 503)
            #expect(draining.body == #"{"status":"draining","checks":{}}"#)
        }
    }

    @Test(
        "only a critical dependency that fails makes the process unready",
        arguments: [
            (true, true, 200, #"{"status":"ok","checks":{"postgres":"ok","redis":"ok"}}"#),
            (true, false, 200, #"{"status":"degraded","checks":{"postgres":"ok","redis":"degraded"}}"#),
            (false, true, 503, #"{"status":"failed","checks":{"postgres":"failed","redis":"ok"}}"#),
            (false, false, 503, #"{"status":"failed","checks":{"postgres":"failed","redis":"degraded"}}"#),
        ])
    func dependencies(postgres: Bool, redis: Bool, status: Int, body: String) async throws {
        let readiness = Readiness()
        readiness.started()
        let checks = [
            HealthCheck(name: "postgres", critical: true) { if !postgres { throw Down() } },
            HealthCheck(name: "redis", critical: false) { if !redis { throw Down() } },
        ]
        try await withServer(readiness: readiness, checks: checks) { port in
            let answer = try await PlainHTTP.get("/readyz", port: port)
            #expect(answer.status == status)
            #expect(answer.body == body)
            #expect(answer.head.contains("content-type: application/json"))
        }
    }

    @Test("a dependency that does not answer in time counts as down")
    func timeout() async throws {
        let readiness = Readiness()
        readiness.started()
        let hanging = HealthCheck(name: "postgres", critical: true, timeout: .milliseconds(50)) { await untilCancelled() }
        try await withServer(readiness: readiness, checks: [hanging]) { port in
            let answer = try await PlainHTTP.get("/readyz", port: port)
            #expect(answer.status == 503)
        }
    }

    @Test("a check that does not notice its cancellation is not waited for")
    func abandoned() async throws {
        let readiness = Readiness()
        readiness.started()
        let release = DispatchSemaphore(value: 0)
        let hanging = HealthCheck(name: "postgres", critical: true, timeout: .milliseconds(50)) {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    _ = release.wait(timeout: .now() + .seconds(60))
                    continuation.resume()
                }
            }
        }
        try await withServer(readiness: readiness, checks: [hanging]) { port in
            let asked = ContinuousClock.now
            let answer = try await PlainHTTP.get("/readyz", port: port)
            #expect(answer.status == 503)
            #expect(.now - asked < .seconds(30))
        }
        release.signal()
    }

    @Test("a critical dependency that does a part of its work leaves the process ready, and degraded")
    func degraded() async throws {
        let readiness = Readiness()
        readiness.started()
        let readOnly = HealthCheck(name: "database", critical: true) { throw HealthCheck.Degraded() }
        try await withServer(readiness: readiness, checks: [readOnly]) { port in
            let answer = try await PlainHTTP.get("/readyz", port: port)
            #expect(answer.status == 200 && answer.body == #"{"status":"degraded","checks":{"database":"degraded"}}"#)
        }
    }

    @Test("/metrics is Prometheus text")
    func metrics() async throws {
        let metrics = PrometheusRegistry()
        Counter(label: "ledger.transfers", factory: metrics).increment(by: 2)
        try await withServer(metrics: metrics) { port in
            let answer = try await PlainHTTP.get("/metrics", port: port)
            #expect(answer.status == 200)
            #expect(answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
            // The one connection that asks is gone by now.
            let now = metrics.render().replacing(#"connections{server="admin"} 0"#, with: #"connections{server="admin"} 1"#)
            #expect(answer.body == now)
            #expect(answer.body.contains("ledger_transfers_total 2\n"))
        }
    }

    @Test("a probe whose body is garbled gets one answer", arguments: ["/livez", "/nothing"])
    func garbledBody(path: String) async throws {
        try await withServer { port in
            let request = "GET \(path) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            let text = try await HTTPSocket.everything(after: Array(request.utf8), port: port)
            #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(text)")
        }
    }

    @Test("HEAD is answered like GET without its body (F17)", arguments: ["/livez", "/readyz", "/metrics"])
    func head(path: String) async throws {
        let readiness = Readiness()
        readiness.started()
        try await withServer(readiness: readiness) { port in
            let request = "HEAD \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let text = try await HTTPSocket.everything(after: Array(request.utf8), port: port)
            #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("\r\n\r\n") && text.components(separatedBy: "\r\n\r\n").count == 2, "\(text)")
        }
    }

    @Test("its own limits are counted, at 0 from the start")
    func limits() async throws {
        try await withServer { port in
            let text = try await HTTPSocket.everything(after: Array("GET //livez HTTP/1.1\r\nHost: x\r\n\r\n".utf8), port: port)
            #expect(text.hasPrefix("HTTP/1.1 404 ") && text.contains("not_found"), "\(text)")
            let metrics = try await PlainHTTP.get("/metrics", port: port).body
            #expect(metrics.contains(#"http_server_limited_total{reason="other_spelling",server="admin"} 1"#), "\(metrics)")
            #expect(metrics.contains(#"http_server_limited_total{reason="connections",server="admin"} 0"#))
            #expect(metrics.contains(#"http_server_connections{server="admin"} "#))
        }
    }

    @Test("nothing else is served")
    func unknown() async throws {
        try await withServer { port in
            let answer = try await PlainHTTP.get("/v1/wallets", port: port)
            #expect(answer.status == 404)
        }
    }
}
