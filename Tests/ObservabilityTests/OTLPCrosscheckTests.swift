import Contracts
import Observability
import ServiceRuntime
import StrictJSON
import TestSupport
import Testing
import Tracing

@Suite("Cross-check with opentelemetry-proto")
struct OTLPCrosscheckTests {
    private static let isAvailable = Comment(rawValue: "python3, venv and pip install opentelemetry-proto are needed")
    private static let parent = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")!

    @Test(
        "it reads every part of a span as it was meant, and refuses nothing",
        .enabled(isAvailable) { await OutsideTool.isAvailable(OTLPReceiver.prepare) })
    func everyPart() async throws {
        let receiver = try await OTLPReceiver()
        let fixture = SpanFixture()
        let span = fixture.tracer.span(
            "POST /v1/transfers", .server, as: Self.parent.child(randomBits: 0xABC), childOf: Self.parent, startedAt: 1_795_237_200_123_456_789)
        span.attributes = [
            "text": "a\"b\\c\n\u{1F600}é\u{0}", "long": .string(String(repeating: "é", count: 1_000)), "flag": true, "whole": 9_007_199_254_740_993,
            "number": 0.25, "notANumber": .double(.nan), "infinite": .double(-.infinity), "texts": .stringArray(["a", "b"]),
            "wholes": .int64Array([-1, .max]), "numbers": .doubleArray([1, 1e300]), "flags": .boolArray([true, false]),
            "small": .int32(-7), "described": .stringConvertible(Self.parent.traceID), "none": .stringArray([]),
        ]
        span.addEvent(SpanEvent(name: "retried", attributes: ["attempt": 2]))
        span.addLink(SpanLink(context: InstrumentationContext(trace: Self.parent), attributes: ["why": "batch"]))
        span.setStatus(SpanStatus(code: .error, message: "it failed"))
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1_795_237_200_125_000_001))
        let root = fixture.tracer.startSpan("ledger.batch", context: .topLevel, ofKind: .internal)
        root.setStatus(SpanStatus(code: .ok))
        root.end()
        for kind in [SpanKind.client, .producer, .consumer] { fixture.tracer.startSpan("\(kind)", context: root.context, ofKind: kind).end() }
        try await SpanExporterTests.exporting(fixture, to: "http://127.0.0.1:\(receiver.port)") {
            try await expectSoon { fixture.exported == 5 }
        }
        let received = try await receiver.received()
        #expect(received["errors"]?.arrayValue?.isEmpty == true, "\(received["errors"] ?? .null)")
        #expect(received["contentTypes"]?.arrayValue == [.string("application/json")])
        check(resource: try #require(received["resources"]?[0]))
        let spans = try #require(received["spans"]?.arrayValue)
        try #require(spans.count == 5)
        check(serverSpan: spans[0])
        #expect(spans[1]["trace"]?.stringValue == root.context.trace?.traceID)
        #expect(spans[1]["parent"] == .string("") && spans[1]["status"] == .string("STATUS_CODE_OK"))
        #expect(
            spans.compactMap { $0["kind"]?.stringValue } == [
                "SPAN_KIND_SERVER", "SPAN_KIND_INTERNAL", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
            ])
        #expect(spans[2]["parent"] == spans[1]["id"])
        #expect(spans[2]["status"] == .string("STATUS_CODE_UNSET"))
    }

    private func check(resource: JSONValue) {
        let expected = [
            "service.name": "wallet-ledger", "service.version": "1.2.3", "service.instance.id": "pod-7",
            "deployment.environment.name": "staging", "telemetry.sdk.language": "swift", "telemetry.sdk.name": "florin",
        ]
        for (name, value) in expected { #expect(resource[name]?["stringValue"]?.stringValue == value, "\(name)") }
        #expect(resource.objectValue?.count == expected.count)
    }

    private func check(serverSpan span: JSONValue) {
        #expect(span["trace"] == .string("4bf92f3577b34da6a3ce929d0e0e4736"))
        #expect(span["id"] == .string("0000000000000abc"))
        #expect(span["parent"] == .string("00f067aa0ba902b7"))
        #expect(span["flags"] == .number("1"))
        #expect(span["name"] == .string("POST /v1/transfers"))
        #expect(span["start"] == .string("1795237200123456789") && span["end"] == .string("1795237200125000001"))
        #expect(span["status"] == .string("STATUS_CODE_ERROR") && span["message"] == .string("it failed"))
        #expect(span["links"]?[0]?["id"] == .string("00f067aa0ba902b7") && span["droppedLinks"] == .number("0"))
        #expect(span["events"]?[0]?["name"] == .string("retried"))
        #expect(span["events"]?[0]?["attributes"]?["attempt"]?["intValue"] == .string("2"))
        let attributes = span["attributes"] ?? .null
        #expect(attributes["text"]?["stringValue"] == .string("a\"b\\c\n\u{1F600}é\u{0}"))
        #expect(attributes["long"]?["stringValue"] == .string(String(repeating: "é", count: SpanData.maximumTextBytes / 2)))
        #expect(attributes["flag"]?["boolValue"] == .bool(true))
        #expect(attributes["whole"]?["intValue"] == .string("9007199254740993"))
        #expect(attributes["number"]?["doubleValue"] == .number("0.25"))
        #expect(attributes["notANumber"]?["doubleValue"] == .string("NaN"))
        #expect(attributes["infinite"]?["doubleValue"] == .string("-Infinity"))
        #expect(attributes["texts"]?["arrayValue"]?["values"]?[1]?["stringValue"] == .string("b"))
        #expect(attributes["wholes"]?["arrayValue"]?["values"]?[1]?["intValue"] == .string("9223372036854775807"))
        #expect(attributes["numbers"]?["arrayValue"]?["values"]?.arrayValue?.count == 2)
        #expect(attributes["flags"]?["arrayValue"]?["values"]?[0]?["boolValue"] == .bool(true))
        #expect(attributes["small"]?["intValue"] == .string("-7"))
        #expect(attributes["described"]?["stringValue"] == .string(Self.parent.traceID))
        #expect(attributes["none"]?["arrayValue"] != nil)
    }
}
