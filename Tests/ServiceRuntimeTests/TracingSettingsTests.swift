import Contracts
import Observability
import ServiceRuntime
import StrictJSON
import Testing

@Suite("OpenTelemetry's variables")
struct TracingSettingsTests {
    private static let collector = "http://collector:4318"

    private func settings(_ set: [String: String]) throws -> ProcessSettings {
        try ExampleSettings.load(environment: ExampleSettings.minimum.merging(set) { $1 }).process
    }

    @Test(
        "where spans go, if anywhere",
        arguments: [
            ([:], nil), (["OTEL_EXPORTER_OTLP_ENDPOINT": collector], "\(collector)/v1/traces"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "\(collector)/"], "\(collector)/v1/traces"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "\(collector)/base"], "\(collector)/base/v1/traces"),
            (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces/own"], "https://traces/own"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces/own"], "https://traces/own"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_SDK_DISABLED": "true"], nil),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_SDK_DISABLED": "TRUE"], nil),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_SDK_DISABLED": "false"], "\(collector)/v1/traces"),
            (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector, "OTEL_TRACES_EXPORTER": "none"], nil),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"], "\(collector)/v1/traces"),
        ] as [([String: String], String?)])
    func address(_ set: [String: String], _ expected: String?) throws {
        #expect(try settings(set).tracing.exportURL == expected)
    }

    /// The attributes as they are exported.
    private func resource(_ set: [String: String]) throws -> [String: String] {
        let bytes = OTLPTraceEncoder(resource: SpanResource(service: "example", try settings(set))).encode([])
        let attributes = try JSONParser.parse(bytes)["resourceSpans"]?[0]?["resource"]?["attributes"]?.arrayValue ?? []
        let pairs = attributes.map { ($0["key"]?.stringValue ?? "", $0["value"]?["stringValue"]?.stringValue ?? "") }
        return Dictionary(pairs) { _, _ in "twice" }
    }

    @Test("the service's name and the resource's attributes are the ones that are set")
    func attributes() throws {
        let own = try resource([:])
        #expect(own["service.name"] == "example" && own["service.version"] == "unknown" && own["telemetry.sdk.name"] == "florin")
        let named = try resource([
            "OTEL_SERVICE_NAME": "relay-a", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other, team=a%20b,service.version=9,telemetry.sdk.name=x",
        ])
        #expect(named["service.name"] == "relay-a" && named["team"] == "a b" && named["service.version"] == "9")
        #expect(named["telemetry.sdk.name"] == "florin" && named.count == own.count + 1)
        #expect(try resource(["OTEL_RESOURCE_ATTRIBUTES": "service.name=other"])["service.name"] == "other")
    }

    @Test("what only speaks another protocol is refused with the one that is spoken")
    func grpc() {
        let error = #expect(throws: InvalidConfiguration.self) { try settings(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]) }
        #expect(error?.description == "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not accepted: expected http/json")
    }

    @Test("unset settings make no spans; set, one trace in a hundred unless the parent says otherwise")
    func defaults() throws {
        let unset = try ExampleSettings.load(environment: ExampleSettings.minimum).process.tracing
        #expect(unset.exportURL == nil)
        #expect(unset.sampler == TraceSampler(.parentBasedTraceIDRatio, ratio: 0.01))
        let set = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0, x-tenant = florin",
        ]
        let settings = try ExampleSettings.load(environment: ExampleSettings.minimum.merging(set) { $1 }).process.tracing
        #expect(settings.exportURL == "http://collector:4318/v1/traces")
        #expect(settings.sampler == TraceSampler(.traceIDRatio, ratio: 0.25))
        #expect(!String(reflecting: settings).contains("c2VjcmV0"))
    }

    @Test(
        "a setting that can't be followed stops the start",
        arguments: [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"), ("OTEL_PROPAGATORS", "b3"),
            ("OTEL_TRACES_EXPORTER", "console"), ("OTEL_SDK_DISABLED", "yes"), ("OTEL_RESOURCE_ATTRIBUTES", "a"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318?token=hunter2"), ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=hunter%2"),
            ("OTEL_TRACES_SAMPLER", "sometimes"), ("OTEL_TRACES_SAMPLER_ARG", "1.5"), ("OTEL_TRACES_SAMPLER_ARG", "few"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"), ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hunter2"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=hunter%2"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=hunter2%0d%0ab: c"),
        ])
    func refused(key: String, value: String) throws {
        let error = #expect(throws: InvalidConfiguration.self) {
            try ExampleSettings.load(environment: ExampleSettings.minimum.merging([key: value]) { $1 })
        }
        #expect(error?.problems.map(\.key) == [key])
        if key.hasSuffix("HEADERS") { #expect(error?.description.contains("hunter") == false) }
    }
}
