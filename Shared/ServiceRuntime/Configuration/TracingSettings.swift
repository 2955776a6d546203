/// Where spans go and which are recorded, under the names of OpenTelemetry's specification ("SDK Environment Variables" and "OTLP
/// Exporter Configuration").
package struct TracingSettings: Sendable {
    static let endpoint = Setting<String>.url(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "Where spans are sent by OTLP/HTTP, /v1/traces is appended; without it none are made.",
        schemes: ["https", "http"], default: nil
    ).optional
    static let headers = Setting<Secret<String>>.secret(
        "OTEL_EXPORTER_OTLP_HEADERS", "Fields of every request with spans.", expected: "name=value,name=value, values percent-encoded"
    ) { OTLPHeaders($0) != nil }.optional
    static let sampler = Setting<TraceSampler.Rule>.choice(
        "OTEL_TRACES_SAMPLER", "Which traces are recorded; a parent-based rule follows the caller's decision.",
        default: .parentBasedTraceIDRatio)
    static let ratio = Setting<Double>(
        key: "OTEL_TRACES_SAMPLER_ARG", summary: "The share of traces that a ratio rule records.", unit: "share",
        expected: "a number from 0 to 1", default: TraceSampler.defaultRatio,
        parse: { text in Double(text).flatMap { (0...1).contains($0) ? $0 : nil } }, render: { "\($0)" })

    static let declared: [any SettingDeclaration] = [endpoint, headers, sampler, ratio]

    /// Nil when spans go nowhere.
    package let endpoint: String?
    let headers: Secret<OTLPHeaders>
    package let sampler: TraceSampler

    init(_ values: SettingValues) {
        endpoint = values[Self.endpoint]
        headers = Secret(values[Self.headers].flatMap { OTLPHeaders($0.reveal()) } ?? OTLPHeaders())
        sampler = TraceSampler(values[Self.sampler], ratio: values[Self.ratio])
    }
}
