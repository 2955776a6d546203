import HTTPTypes
import NIOHTTP1
import ServiceClient
import ServiceIdentity
import TestSupport
import Testing

/// What AsyncHTTPClient would do otherwise; redirects and retries of connecting are in ``GatewayCaseTests``.
@Suite("The fleet's HTTP client", .timeLimit(.minutes(2)))
struct FleetHTTPClientTests {
    private func exchange(_ connections: ServiceConnections, port: Int, fields: HTTPFields = [:]) async throws -> TryOutcome {
        await connections.exchange(
            try ServiceAddress("http://127.0.0.1:\(port)"), method: "GET", target: "/", fields: fields, body: nil, timeout: .seconds(60))
    }

    @Test("as many calls reach a callee at once as the largest bulkhead lets through, and none waits in the pool's queue")
    func connectionsPerHost() async throws {
        let connections = ServiceConnections(connectTimeout: .seconds(20))
        let count = FleetHTTPClient.connectionsPerHost
        try await ScriptedServer.running(Array(repeating: .hang, count: count)) { server, port in
            let calls = (0..<count).map { _ in Task { try await exchange(connections, port: port) } }
            #expect(try await eventually { server.received.count == count })
            for call in calls { call.cancel() }
            for call in calls { _ = try await call.value }
        }
        await connections.close()
    }

    @Test("who has to wait for a connection waits no longer than for connecting, and nothing is sent")
    func queue() async throws {
        let connections = ServiceConnections(connectTimeout: .seconds(5), connectionsPerHost: 1)
        try await ScriptedServer.running([.hang, .answer(200)]) { server, port in
            let first = Task { try await exchange(connections, port: port) }
            #expect(try await eventually { server.received.count == 1 })
            guard case .unreachable(let reason) = try await exchange(connections, port: port) else {
                Issue.record("not refused")
                return
            }
            #expect(reason == "no connection in time")
            #expect(server.received.count == 1)
            first.cancel()
            _ = try await first.value
        }
        await connections.close()
    }

    @Test("a body comes as it was sent, whatever its coding")
    func noDecompression() async throws {
        let connections = ServiceConnections(connectTimeout: .seconds(20))
        try await ScriptedServer.running([.answer(200, headers: [("content-encoding", "gzip")], body: "as it is")]) { server, port in
            guard case .answered(let response) = try await exchange(connections, port: port) else {
                Issue.record("not answered")
                return
            }
            #expect(response.body == Array("as it is".utf8))
            #expect(server.received.first?.headers["accept-encoding"] == [])
        }
        await connections.close()
    }
}
