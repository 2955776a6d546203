/// The trace that a request belongs to, as W3C Trace Context (level 1, section 3.2) carries it in `traceparent`.
///
/// Fixed-width integers: parsing and rendering touch 55 bytes and nothing else.
package struct TraceContext: Sendable, Hashable {
    /// The length of a `traceparent` of version 00.
    package static let traceparentLength = 55

    /// The upper and lower half of the trace id; never both zero.
    package let traceIDHigh: UInt64
    package let traceIDLow: UInt64
    /// The id of the span that this context speaks of; never zero.
    package let spanID: UInt64
    /// Whether the caller may have recorded the trace. Other flags are dropped: level 1 knows no other.
    package let isSampled: Bool

    /// - Precondition: The ids are not zero, which the standard calls invalid.
    package init(traceIDHigh: UInt64, traceIDLow: UInt64, spanID: UInt64, isSampled: Bool) {
        precondition((traceIDHigh | traceIDLow) != 0 && spanID != 0, "an id of zero is no id")
        self.traceIDHigh = traceIDHigh
        self.traceIDLow = traceIDLow
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// A new trace.
    package init(isSampled: Bool, using generator: inout some RandomNumberGenerator) {
        self.init(
            traceIDHigh: generator.next(), traceIDLow: max(generator.next(), 1), spanID: max(generator.next(), 1), isSampled: isSampled)
    }

    /// What a `traceparent` says; nil when it does not follow the standard to the letter.
    ///
    /// A later version is read as far as this one goes, as section 3.2.4 of the standard asks.
    package init?(traceparent: String) {
        var traceparent = traceparent
        let parsed = traceparent.withUTF8 { utf8 in Self.parse(utf8) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The trace of a request: the caller's, or a new unsampled one when the header is missing or invalid.
    package static func of(traceparent: String?, using generator: inout some RandomNumberGenerator) -> TraceContext {
        traceparent.flatMap(TraceContext.init(traceparent:)) ?? TraceContext(isSampled: false, using: &generator)
    }

    /// The same trace with a span of its own, to be sent to a callee.
    package func child(using generator: inout some RandomNumberGenerator) -> TraceContext {
        child(randomBits: generator.next())
    }

    /// The same trace with a span of its own; zero bits, which are no id, become one.
    package func child(randomBits: UInt64) -> TraceContext {
        TraceContext(traceIDHigh: traceIDHigh, traceIDLow: traceIDLow, spanID: max(randomBits, 1), isSampled: isSampled)
    }

    /// The same span under another decision.
    func sampled(_ isSampled: Bool) -> TraceContext {
        TraceContext(traceIDHigh: traceIDHigh, traceIDLow: traceIDLow, spanID: spanID, isSampled: isSampled)
    }

    /// The header's value, version 00.
    package var traceparent: String {
        String(unsafeUninitializedCapacity: Self.traceparentLength) { bytes in
            Hexadecimal.write(0, digits: 2, to: bytes, at: 0)
            bytes[2] = UInt8(ascii: "-")
            Hexadecimal.write(traceIDHigh, digits: 16, to: bytes, at: 3)
            Hexadecimal.write(traceIDLow, digits: 16, to: bytes, at: 19)
            bytes[35] = UInt8(ascii: "-")
            Hexadecimal.write(spanID, digits: 16, to: bytes, at: 36)
            bytes[52] = UInt8(ascii: "-")
            Hexadecimal.write(isSampled ? 1 : 0, digits: 2, to: bytes, at: 53)
            return Self.traceparentLength
        }
    }

    /// The trace id as logs show it: 32 hexadecimal digits.
    package var traceID: String {
        String(unsafeUninitializedCapacity: 32) { bytes in
            Hexadecimal.write(traceIDHigh, digits: 16, to: bytes, at: 0)
            Hexadecimal.write(traceIDLow, digits: 16, to: bytes, at: 16)
            return 32
        }
    }

    private static func parse(_ utf8: UnsafeBufferPointer<UInt8>) -> TraceContext? {
        let dash = UInt8(ascii: "-")
        guard utf8.count >= traceparentLength, utf8[2] == dash, utf8[35] == dash, utf8[52] == dash,
            let version = Hexadecimal.read(utf8, from: 0, digits: 2), version != 0xFF,
            let high = Hexadecimal.read(utf8, from: 3, digits: 16), let low = Hexadecimal.read(utf8, from: 19, digits: 16), high | low != 0,
            let span = Hexadecimal.read(utf8, from: 36, digits: 16), span != 0, let flags = Hexadecimal.read(utf8, from: 53, digits: 2)
        else { return nil }
        // Version 00 ends here; a later one may go on after a dash.
        guard utf8.count == traceparentLength || (version != 0 && utf8[traceparentLength] == dash) else { return nil }
        return TraceContext(traceIDHigh: high, traceIDLow: low, spanID: span, isSampled: flags & 1 == 1)
    }
}
