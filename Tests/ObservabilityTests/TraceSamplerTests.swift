import HTTPTypes
import Observability
import ServiceRuntime
import Testing

@Suite("Sampling")
struct TraceSamplerTests {
    private static let sampledParent = TraceContext(traceIDHigh: 1, traceIDLow: .max, spanID: 3, isSampled: true)
    private static let unsampledParent = TraceContext(traceIDHigh: 1, traceIDLow: 0, spanID: 3, isSampled: false)

    @Test(
        "each rule: where a trace begins, below a sampled parent, below an unsampled one",
        arguments: [
            (.alwaysOn, true, true, true), (.alwaysOff, false, false, false), (.parentBasedAlwaysOn, true, true, false),
            (.parentBasedAlwaysOff, false, true, false),
        ] as [(TraceSampler.Rule, Bool, Bool, Bool)])
    func rules(rule: TraceSampler.Rule, root: Bool, belowSampled: Bool, belowUnsampled: Bool) {
        let sampler = TraceSampler(rule)
        #expect(sampler.isSampled(parent: nil, traceIDLow: 7) == root)
        #expect(sampler.isSampled(parent: Self.sampledParent, traceIDLow: Self.sampledParent.traceIDLow) == belowSampled)
        #expect(sampler.isSampled(parent: Self.unsampledParent, traceIDLow: Self.unsampledParent.traceIDLow) == belowUnsampled)
    }

    @Test("a parent decides before the ratio does, both ways; the plain ratio asks no parent")
    func parents() {
        let byParent = TraceSampler(.parentBasedTraceIDRatio, ratio: 0.5)
        #expect(byParent.isSampled(parent: Self.sampledParent, traceIDLow: .max))
        #expect(!byParent.isSampled(parent: Self.unsampledParent, traceIDLow: 0))
        let byRatio = TraceSampler(.traceIDRatio, ratio: 0.5)
        #expect(!byRatio.isSampled(parent: Self.sampledParent, traceIDLow: .max))
        #expect(byRatio.isSampled(parent: Self.unsampledParent, traceIDLow: 0))
    }

    @Test("the ratio is decided by the lower half of the trace id: every process comes to the same answer, and more is never less")
    func ratio() {
        let limit = UInt64(0.01 * 0x1p64)
        let sampler = TraceSampler(.parentBasedTraceIDRatio)
        #expect(sampler.isSampled(parent: nil, traceIDLow: limit - 1))
        #expect(!sampler.isSampled(parent: nil, traceIDLow: limit))
        #expect(!TraceSampler(.traceIDRatio, ratio: 0).isSampled(parent: nil, traceIDLow: 0))
        #expect(TraceSampler(.traceIDRatio, ratio: 1).isSampled(parent: nil, traceIDLow: .max))
        let more = TraceSampler(.traceIDRatio, ratio: 0.02)
        for _ in 0..<1_000 {
            let id = UInt64.random(in: .min ... .max)
            if sampler.isSampled(parent: nil, traceIDLow: id) { #expect(more.isSampled(parent: nil, traceIDLow: id)) }
        }
    }

    @Test("header fields are name and value, percent-decoded")
    func headers() throws {
        let headers = try #require(OTLPHeaders("authorization=Basic%20c2VjcmV0, x-tenant = florin=1"))
        #expect(headers.fields[.authorization] == "Basic c2VjcmV0")
        #expect(headers.fields[.init("x-tenant")!] == "florin=1")
    }
}
