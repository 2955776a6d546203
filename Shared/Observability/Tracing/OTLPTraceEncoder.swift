import Contracts
import StrictJSON
import Tracing

/// Spans as an `ExportTraceServiceRequest` in OTLP's JSON (opentelemetry-proto 1, "JSON Protobuf Encoding"): member names in
/// lowerCamelCase, ids in hexadecimal, 64-bit integers as text, enums as numbers.
package struct OTLPTraceEncoder: Sendable {
    /// Who says how the spans were made, not who is described: see ``SpanResource``.
    private static let scope = "florin.service-runtime"
    /// Bytes of a typical span, for the buffer's first size.
    private static let typicalSpanBytes = 768
    /// The flag `sampled` of W3C Trace Context; what is exported is sampled.
    private static let flags: Int64 = 1

    private let resource: SpanResource

    package init(resource: SpanResource) {
        self.resource = resource
    }

    package func encode(_ spans: [SpanData]) -> [UInt8] {
        var writer = JSONWriter(capacity: spans.count * Self.typicalSpanBytes)
        writer.object { writer in
            writer.name("resourceSpans")
            writer.array { writer in writer.object { writer in write(spans, to: &writer) } }
        }
        return writer.bytes
    }

    private func write(_ spans: [SpanData], to writer: inout JSONWriter) {
        writer.name("resource")
        writer.object { writer in
            writer.name("attributes")
            writer.array { writer in
                for (name, value) in resource.attributes { Self.write(name, .string(value), to: &writer) }
            }
        }
        writer.name("scopeSpans")
        writer.array { writer in
            writer.object { writer in
                writer.name("scope")
                writer.object { $0.member("name", Self.scope) }
                writer.name("spans")
                writer.array { writer in
                    for span in spans { writer.object { Self.write(span, to: &$0) } }
                }
            }
        }
    }

    private static func write(_ span: SpanData, to writer: inout JSONWriter) {
        writer.member("traceId", span.trace.traceID)
        writer.member("spanId", Hexadecimal.text(span.trace.spanID))
        if span.parentSpanID != 0 { writer.member("parentSpanId", Hexadecimal.text(span.parentSpanID)) }
        writer.member("flags", flags)
        writer.member("name", cut(span.name))
        writer.member("kind", number(of: span.kind))
        writer.member("startTimeUnixNano", String(span.startedAt))
        writer.member("endTimeUnixNano", String(span.endedAt))
        write(span.attributes, to: &writer)
        if !span.events.isEmpty {
            writer.name("events")
            writer.array { writer in
                for event in span.events {
                    writer.object { writer in
                        writer.member("timeUnixNano", String(event.nanosecondsSinceEpoch))
                        writer.member("name", cut(event.name))
                        write(event.attributes, to: &writer)
                    }
                }
            }
        }
        if span.droppedEvents > 0 { writer.member("droppedEventsCount", Int64(span.droppedEvents)) }
        writeLinks(of: span, to: &writer)
        guard let status = span.status else { return }
        writer.name("status")
        writer.object { writer in
            if let message = status.message { writer.member("message", cut(message)) }
            writer.member("code", number(of: status.code))
        }
    }

    private static func writeLinks(of span: SpanData, to writer: inout JSONWriter) {
        let links = span.links.compactMap { link in link.context.trace.map { (trace: $0, attributes: link.attributes) } }
        if !links.isEmpty {
            writer.name("links")
            writer.array { writer in
                for link in links {
                    writer.object { writer in
                        writer.member("traceId", link.trace.traceID)
                        writer.member("spanId", Hexadecimal.text(link.trace.spanID))
                        writer.member("flags", link.trace.isSampled ? flags : 0)
                        write(link.attributes, to: &writer)
                    }
                }
            }
        }
        if span.droppedLinks > 0 { writer.member("droppedLinksCount", Int64(span.droppedLinks)) }
    }

    /// The attributes by name, for a text that does not change with the seed of dictionaries.
    private static func write(_ attributes: SpanAttributes, to writer: inout JSONWriter) {
        guard !attributes.isEmpty else { return }
        var sorted: [(name: String, value: SpanAttribute)] = []
        // No sequence, in spite of the name.
        // swift-format-ignore: ReplaceForEachWithForLoop
        attributes.forEach { sorted.append(($0, $1)) }
        sorted.sort { $0.name < $1.name }
        writer.name("attributes")
        writer.array { writer in
            for (name, value) in sorted.prefix(SpanData.maximumAttributes) { write(name, value, to: &writer) }
        }
        if sorted.count > SpanData.maximumAttributes {
            writer.member("droppedAttributesCount", Int64(sorted.count - SpanData.maximumAttributes))
        }
    }

    private static func write(_ name: String, _ value: SpanAttribute, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("key", name)
            writer.name("value")
            write(value, to: &writer)
        }
    }

    private static func write(_ value: SpanAttribute, to writer: inout JSONWriter) {
        switch value {
        case .string(let text): writer.object { $0.member("stringValue", cut(text)) }
        case .bool(let flag): writer.object { $0.member("boolValue", flag) }
        case .int32(let number): writer.object { $0.member("intValue", String(number)) }
        case .int64(let number): writer.object { $0.member("intValue", String(number)) }
        case .double(let number):
            writer.object { writer in
                writer.name("doubleValue")
                writer.value(number.isFinite ? .number(number.description) : .string(notFinite(number)))
            }
        case .stringConvertible(let value): writer.object { $0.member("stringValue", cut(value.description)) }
        case .stringArray(let texts): write(texts.map { .string($0) }, to: &writer)
        case .boolArray(let flags): write(flags.map { .bool($0) }, to: &writer)
        case .int32Array(let numbers): write(numbers.map { .int32($0) }, to: &writer)
        case .int64Array(let numbers): write(numbers.map { .int64($0) }, to: &writer)
        case .doubleArray(let numbers): write(numbers.map { .double($0) }, to: &writer)
        case .stringConvertibleArray(let values): write(values.map { .string($0.description) }, to: &writer)
        // The library asks for a default: it may add cases. An empty value is valid.
        default: writer.object { _ in }
        }
    }

    private static func write(_ values: [SpanAttribute], to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("arrayValue")
            writer.object { writer in
                writer.name("values")
                writer.array { writer in
                    for value in values { write(value, to: &writer) }
                }
            }
        }
    }

    /// As protobuf's JSON spells them.
    private static func notFinite(_ number: Double) -> String {
        number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    }

    private static func number(of kind: SpanKind) -> Int64 {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func number(of code: SpanStatus.Code) -> Int64 {
        switch code {
        case .ok: 1
        case .error: 2
        }
    }

    /// The text within ``SpanData/maximumTextBytes``, cut between characters.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > SpanData.maximumTextBytes else { return text }
        var bytes = 0
        return String(
            text.prefix { character in
                bytes += character.utf8.count
                return bytes <= SpanData.maximumTextBytes
            })
    }
}
