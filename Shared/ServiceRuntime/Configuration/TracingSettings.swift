package import Observability

/// Where spans go and which are recorded, under the names of OpenTelemetry's specification ("SDK Environment Variables" and "OTLP
/// Exporter Configuration"). What we don't do is refused by name; see ``unknown(in:)`` for the rest.
package struct TracingSettings: Sendable {
    private enum Exporter: String, CaseIterable {
        case otlp
        case none
    }

    private enum OTLPProtocol: String, CaseIterable {
        case httpJSON = "http/json"
    }

    private enum Propagator: String, CaseIterable {
        case traceContext = "tracecontext"
    }

    private static let prefix = "OTEL_"
    private static let path = "/v1/traces"
    private static let headersForm = "name=value,name=value, values percent-encoded"
    private static let protocolSummary = "How spans are sent: by OTLP as JSON over HTTP, never by gRPC or as protobuf."

    private static let isDisabled = Setting<Bool>(
        key: "OTEL_SDK_DISABLED", summary: "Switches tracing off.", expected: "true or false", isHarmless: true, default: false,
        parse: { Bool($0.lowercased()) }, render: { String($0) })
    private static let exporter = Setting<Exporter>.choice(
        "OTEL_TRACES_EXPORTER", "Where spans are exported; none records no spans.", default: .otlp)
    static let endpoint = Setting<String>.url(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "Base URL for spans, to which \(path) is appended; without it or the one for traces no spans are recorded.",
        schemes: ["https", "http"], default: nil
    ).optional
    private static let tracesEndpoint = Setting<String>.url(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "Full URL for traces; takes precedence over OTEL_EXPORTER_OTLP_ENDPOINT.", schemes: ["https", "http"],
        default: nil
    ).optional
    private static let exporterProtocol = Setting<OTLPProtocol>.choice("OTEL_EXPORTER_OTLP_PROTOCOL", protocolSummary, default: .httpJSON)
    private static let tracesProtocol = Setting<OTLPProtocol>.choice("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocolSummary, default: .httpJSON)
    private static let headers = Setting<Secret<String>>.secret(
        "OTEL_EXPORTER_OTLP_HEADERS", "Headers of each export request.", expected: headersForm
    ) { OTLPHeaders($0) != nil }.optional
    private static let tracesHeaders = Setting<Secret<String>>.secret(
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "The same, in place of the other one's.", expected: headersForm
    ) { OTLPHeaders($0) != nil }.optional
    private static let serviceName = Setting<String>.text(
        "OTEL_SERVICE_NAME", "The service name in spans; default: the executable's name.", default: nil
    ).optional
    private static let resourceAttributes = Setting<Secret<String>>.secret(
        "OTEL_RESOURCE_ATTRIBUTES", "Resource attributes of every span; added to ours or replacing them.", expected: headersForm
    ) { PairList.parse($0) != nil }.optional
    private static let propagator = Setting<Propagator>.choice(
        "OTEL_PROPAGATORS", "How traces are passed on: by W3C traceparent, without baggage.", default: .traceContext)
    static let sampler = Setting<TraceSampler.Rule>.choice(
        "OTEL_TRACES_SAMPLER", "Which traces are recorded; a parent-based rule follows the caller's decision.",
        default: .parentBasedTraceIDRatio)
    static let ratio = Setting<Double>(
        key: "OTEL_TRACES_SAMPLER_ARG", summary: "The share of traces that a ratio rule records.", unit: "share",
        expected: "a number from 0 to 1", default: TraceSampler.defaultRatio,
        parse: { text in Double(text).flatMap { (0...1).contains($0) ? $0 : nil } }, render: { "\($0)" })

    static let declared: [any SettingDeclaration] = [
        isDisabled, exporter, endpoint, tracesEndpoint, exporterProtocol, tracesProtocol, headers, tracesHeaders, serviceName, resourceAttributes,
        propagator, sampler, ratio,
    ]

    /// The whole address that spans are sent to; nil when none are made.
    package let exportURL: String?
    let headers: Secret<OTLPHeaders>
    /// Nil is the executable's name.
    let serviceName: String?
    let resourceAttributes: [PairList.Pair]
    package let sampler: TraceSampler

    init(_ values: SettingValues) {
        let isOff = values[Self.isDisabled] || values[Self.exporter] == .none
        let base = values[Self.endpoint].map { ($0.hasSuffix("/") ? String($0.dropLast()) : $0) + Self.path }
        exportURL = isOff ? nil : values[Self.tracesEndpoint] ?? base
        let text = values[Self.tracesHeaders] ?? values[Self.headers]
        headers = Secret(text.flatMap { OTLPHeaders($0.reveal()) } ?? OTLPHeaders())
        serviceName = values[Self.serviceName]
        resourceAttributes = values[Self.resourceAttributes].flatMap { PairList.parse($0.reveal()) } ?? []
        sampler = TraceSampler(values[Self.sampler], ratio: values[Self.ratio])
    }

    /// OpenTelemetry's variables that are set and not heeded, for a warning: who set them expects something of them.
    static func unknown(in environment: [String: String]) -> [String] {
        let known = Set(declared.map(\.key))
        return environment.filter { $0.key.hasPrefix(prefix) && !$0.value.isEmpty && !known.contains($0.key) }.keys.sorted()
    }
}
