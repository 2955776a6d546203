import Observability
import ServiceRuntime
import Testing

@Suite("Trace context")
struct TraceContextTests {
    static let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("a valid header is read and written back")
    func roundTrip() throws {
        let context = try #require(TraceContext(traceparent: Self.valid))
        #expect(context.traceIDHigh == 0x4bf9_2f35_77b3_4da6)
        #expect(context.traceIDLow == 0xa3ce_929d_0e0e_4736)
        #expect(context.spanID == 0x00f0_67aa_0ba9_02b7)
        #expect(context.isSampled)
        #expect(context.traceparent == Self.valid)
        #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
    }

    @Test(
        "flags other than sampled are dropped, and a later version is read as this one",
        arguments: [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false), ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true), ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later", true),
        ])
    func accepted(header: String, isSampled: Bool) throws {
        let context = try #require(TraceContext(traceparent: header))
        #expect(context.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\(isSampled ? 1 : 0)")
    }

    @Test(
        "what the standard calls invalid starts a new trace",
        arguments: [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01later",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-0f067aa0ba902b7-01",
        ])
    func refused(header: String) {
        #expect(TraceContext(traceparent: header) == nil)
        var generator = SystemRandomNumberGenerator()
        let fresh = TraceContext.of(traceparent: header, using: &generator)
        #expect(TraceContext(traceparent: fresh.traceparent) == fresh)
        #expect(!fresh.isSampled)
    }

    @Test("a child keeps the trace and has a span of its own")
    func child() throws {
        let parent = try #require(TraceContext(traceparent: Self.valid))
        #expect(parent.child(randomBits: 0xAB).traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000ab-01")
        #expect(parent.child(randomBits: 0).spanID != 0)
        var generator = SystemRandomNumberGenerator()
        #expect(parent.child(using: &generator).spanID != parent.spanID)
    }

    @Test(
        "a caller's request id is kept when it is 1 to 128 visible ASCII characters",
        arguments: ["a", "req-1/2:{3}", String(repeating: "x", count: 128)])
    func requestIDKept(header: String) {
        var generator = SystemRandomNumberGenerator()
        #expect(RequestID.of(header: header, using: &generator).text == header)
    }

    @Test(
        "any other request id is replaced by a new one",
        arguments: [nil, "", " ", "a b", "a\n", "é", "\u{7F}", String(repeating: "x", count: 129)] as [String?])
    func requestIDReplaced(header: String?) {
        var generator = SystemRandomNumberGenerator()
        let first = RequestID.of(header: header, using: &generator)
        #expect(first.text.utf8.count == 32)
        #expect(first != RequestID.of(header: header, using: &generator))
    }
}
