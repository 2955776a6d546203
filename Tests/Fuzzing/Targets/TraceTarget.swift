@testable import Observability
@testable import ServiceRuntime

/// `traceparent` and the request id, which everybody may write into a request.
enum TraceTarget {
    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let context = TraceContext(traceparent: text) {
            try BrokenProperty.unless(TraceContext(traceparent: context.traceparent) == context, "not the same when it is written and read")
            try BrokenProperty.unless(text.dropFirst(3).hasPrefix(context.traceID), "another trace than the header's")
        }
        if let id = RequestID(text) { try BrokenProperty.unless(id.text == text && text.utf8.count <= 128, "an id that was not given") }
        let line = PlainLine.text(text)
        try BrokenProperty.unless(!line.utf8.contains { $0 < 0x20 }, "a line with a control character")
    }
}
