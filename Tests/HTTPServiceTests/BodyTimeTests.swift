import Contracts
import HTTPServer
import HTTPService
import HTTPTypes
import Logging
import NIOCore
import Observability
import TestSupport
import Testing

/// F17, GW-05, GW-14: bodies that are too long by their own word, or too slow.
@Suite("Bodies in time")
struct BodyTimeTests {
    @Test(
        "a body that says that it is too long is not waited for",
        arguments: [("/public/notes", "application/json"), ("/token", "application/x-www-form-urlencoded"), ("/public/uploads", "text/csv")])
    func tooLong(path: String, type: String) async throws {
        let port = try await ToyService.shared().port
        let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: 10000000\r\n\r\n"
        let answer = try await HTTPSocket.exchange(Array(head.utf8), port: port)
        #expect(answer.status == 413 && answer.fields["connection"] == "close", "\(answer)")
    }

    @Test("a body that does not arrive in time is refused as every other request is")
    func tooSlow() async throws {
        var limits = ServerLimits.api
        limits.bodyTime = .milliseconds(100)
        let log = try LogCapture()
        let pipeline = EndpointPipeline(logger: log.logger(), metrics: PrometheusRegistry(), mapError: { _ in nil })
        let endpoint = Endpoint(.post, "/notes", access: .public, body: .json) { _ in .noContent() }
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = APIServer(
            host: "127.0.0.1", port: 0, eventLoops: 1, limits: limits, responder: pipeline.responder(of: [endpoint]), metrics: PrometheusRegistry(),
            logger: Logger(label: "toy") { _ in SwiftLogNoOpLogHandler() }, onListening: { listening.yield($0) })
        let running = Task { try await server.run() }
        let port = try #require(await ports.first { _ in true })
        let head = "POST /notes HTTP/1.1\r\nHost: x\r\nX-Request-ID: slow\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        let answer = try await HTTPSocket.exchange(Array(head.utf8), port: port)
        #expect(answer.status == 408 && String(decoding: answer.body, as: UTF8.self).contains("request_timeout"))
        #expect(answer.fields["connection"] == "close" && answer.fields["x-request-id"] == "slow")
        let lines = log.text().split(separator: "\n")
        #expect(lines.count == 1 && lines.allSatisfy { $0.contains("request_timeout") && $0.contains(#""level":"info""#) }, "\(lines)")
        running.cancel()
        _ = await running.result
    }
}
