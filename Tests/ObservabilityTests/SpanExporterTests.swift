import Contracts
import Logging
import NIOHTTP1
import StrictJSON
import TestSupport
import Testing

@testable import Observability
@testable import ServiceRuntime

@Suite("Span exporter")
struct SpanExporterTests {
    /// Short pauses; the limits stay long enough for a busy machine.
    static let timing = SpanExportTiming(
        interval: .milliseconds(10), requestTimeout: .seconds(20), maximumTries: 3, firstPause: .milliseconds(5), maximumPause: .seconds(5),
        shutdownLimit: .seconds(20))
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs an exporter while the body runs, and drains it then.
    static func exporting(
        _ fixture: SpanFixture, to endpoint: String, headers: Secret<OTLPHeaders> = Secret(OTLPHeaders()),
        timing: SpanExportTiming = SpanExporterTests.timing, logger: Logger? = nil, _ body: () async throws -> Void
    ) async throws {
        let exporter = SpanExporter(
            url: "\(endpoint)/v1/traces", headers: headers, resource: SpanFixture.resource, queue: fixture.queue, counters: fixture.counters,
            timing: timing,
            logger: logger ?? quiet)
        let group = ProcessGroup(
            services: [exporter], readiness: Readiness(), drainDelay: .zero, drainTimeout: .seconds(60), trapsSignals: false, logger: quiet)
        async let running: Void = group.run()
        do {
            try await body()
        } catch {
            await group.drain()
            throw error
        }
        await group.drain()
        try await running
    }

    private func names(_ received: ScriptedServer.Received) throws -> [String] {
        let spans = try JSONParser.parse(received.body)["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.arrayValue ?? []
        return spans.compactMap { $0["name"]?.stringValue }
    }

    @Test("spans are sent at the interval, with the fields of the setting, which no log shows")
    func sent() async throws {
        let fixture = SpanFixture()
        let log = try LogCapture()
        let headers = try #require(OTLPHeaders("authorization=Bearer%20hunter2"))
        try await ScriptedServer.running([.answer(500), .answer(200, body: "{}")]) { server, port in
            try await Self.exporting(
                fixture, to: "http://127.0.0.1:\(port)/base", headers: Secret(headers), logger: log.logger(level: .trace)
            ) {
                fixture.end(1)
                try await expectSoon { fixture.dropped(.rejected) == 1 }
                fixture.end(2)
                try await expectSoon { fixture.exported == 2 }
            }
            let request = try #require(server.received.last)
            #expect(request.method == "POST" && request.target == "/base/v1/traces")
            #expect(request.headers["authorization"] == ["Bearer hunter2"])
            #expect(request.headers["content-type"] == ["application/json"])
            #expect(request.headers["traceparent"].isEmpty)
            #expect(try names(request) == ["span 0", "span 1"])
            #expect(!String(decoding: request.body, as: UTF8.self).contains("hunter2"))
        }
        #expect(log.text().contains("spans can't be delivered") && log.text().contains("spans are delivered again"))
        #expect(!log.text().contains("hunter2"))
    }

    @Test("what is left is sent when the process drains")
    func flush() async throws {
        let fixture = SpanFixture()
        var timing = Self.timing
        timing.interval = .seconds(3_600)
        try await ScriptedServer.running([.answer(200), .answer(200)]) { server, port in
            try await Self.exporting(fixture, to: "http://127.0.0.1:\(port)", timing: timing) { fixture.end(SpanExporter.batchLimit + 1) }
            #expect(try server.received.map { try names($0).count } == [SpanExporter.batchLimit, 1])
            #expect(fixture.exported == SpanExporter.batchLimit + 1)
        }
    }

    @Test("a receiver that is overloaded for a while gets the same spans again", arguments: [429, 502, 503, 504])
    func retried(status: Int) async throws {
        let fixture = SpanFixture()
        try await ScriptedServer.running([.answer(status, headers: [("retry-after", "0")]), .drop, .answer(200)]) { server, port in
            try await Self.exporting(fixture, to: "http://127.0.0.1:\(port)") {
                fixture.end(2)
                try await expectSoon { fixture.exported == 2 }
            }
            #expect(try server.received.map(names) == Array(repeating: ["span 0", "span 1"], count: 3))
            #expect(SpanCounters.DropReason.allCases.allSatisfy { fixture.dropped($0) == 0 })
        }
    }

    @Test("a receiver that asks for more patience than there is loses the spans, and they are counted")
    func impatient() async throws {
        let fixture = SpanFixture()
        try await ScriptedServer.running([.answer(503, headers: [("retry-after", "3600")])]) { server, port in
            try await Self.exporting(fixture, to: "http://127.0.0.1:\(port)") {
                fixture.end(2)
                try await expectSoon { fixture.dropped(.unavailable) == 2 }
            }
            #expect(server.received.count == 1)
        }
    }

    @Test("other refusals are not repeated", arguments: [301, 400, 401, 413, 500, 501])
    func refused(status: Int) async throws {
        let fixture = SpanFixture()
        try await ScriptedServer.running([.answer(status, headers: [("location", "http://127.0.0.1:1/")])]) { server, port in
            try await Self.exporting(fixture, to: "http://127.0.0.1:\(port)") {
                fixture.end(3)
                try await expectSoon { fixture.dropped(.rejected) == 3 }
            }
            #expect(server.received.count == 1 && fixture.exported == 0)
        }
    }

    @Test("a partial success counts what was rejected, whether as text or as number", arguments: [#""2""#, "2"])
    func partial(rejected: String) async throws {
        let fixture = SpanFixture()
        let body = #"{"partialSuccess":{"rejectedSpans":\#(rejected),"errorMessage":"too old"}}"#
        try await ScriptedServer.running([.answer(200, body: body)]) { _, port in
            try await Self.exporting(fixture, to: "http://127.0.0.1:\(port)") {
                fixture.end(5)
                try await expectSoon { fixture.exported == 3 && fixture.dropped(.rejected) == 2 }
            }
        }
    }

    @Test("a receiver that is down loses the spans after a few tries, and they are counted")
    func down() async throws {
        let fixture = SpanFixture()
        try await Self.exporting(fixture, to: "http://127.0.0.1:\(try FreePort.any())") {
            fixture.end(4)
            try await expectSoon { fixture.dropped(.unavailable) == 4 }
        }
        #expect(fixture.exported == 0)
    }

    @Test("a receiver that never answers holds the end of the process up for the limit only, and what it did not get is counted")
    func slow() async throws {
        let fixture = SpanFixture()
        var timing = Self.timing
        timing.requestTimeout = .seconds(600)
        timing.shutdownLimit = .milliseconds(100)
        try await ScriptedServer.running([.hang, .hang, .hang]) { server, port in
            var drained = ContinuousClock.now
            try await Self.exporting(fixture, to: "http://127.0.0.1:\(port)", timing: timing) {
                fixture.end(6)
                try await expectSoon { server.received.count == 1 }
                fixture.end(1)
                drained = .now
            }
            #expect(ContinuousClock.now - drained < .seconds(15))
            #expect(fixture.dropped(.shutdown) == 7 && fixture.exported == 0)
        }
    }
}
