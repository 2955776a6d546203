/// Punycode (RFC 3492) in the direction that is needed: from Unicode to ASCII.
enum Punycode {
    private static let base = 36
    private static let minimumThreshold = 1
    private static let maximumThreshold = 26
    private static let skew = 38
    private static let damp = 700
    private static let initialBias = 72
    private static let initialCodePoint = 128

    /// The text in basic code points, without the prefix `xn--`; of a bounded text, so that no number overflows.
    ///
    /// - Complexity: O(n²), so the caller bounds `text`.
    static func encode(_ text: some Sequence<Unicode.Scalar>) -> String {
        let input = text.map { Int($0.value) }
        var output = input.filter { $0 < initialCodePoint }.map { UInt8($0) }
        let basicCount = output.count
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var (codePoint, delta, bias, handled) = (initialCodePoint, 0, initialBias, basicCount)
        while handled < input.count {
            guard let next = input.lazy.filter({ $0 >= codePoint }).min() else { break }
            delta += (next - codePoint) * (handled + 1)
            codePoint = next
            for value in input {
                if value < codePoint { delta += 1 }
                guard value == codePoint else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapt(delta, isFirst: handled == basicCount, points: handled + 1)
                delta = 0
                handled += 1
            }
            delta += 1
            codePoint += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// A number of variable length (section 3.3).
    private static func append(_ delta: Int, bias: Int, to output: inout [UInt8]) {
        var rest = delta
        var position = base
        while true {
            let threshold = min(max(position - bias, minimumThreshold), maximumThreshold)
            if rest < threshold { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            position += base
        }
        output.append(digit(rest))
    }

    /// Section 3.4.
    private static func adapt(_ delta: Int, isFirst: Bool, points: Int) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / points
        var divisions = 0
        while delta > (base - minimumThreshold) * maximumThreshold / 2 {
            delta /= base - minimumThreshold
            divisions += base
        }
        return divisions + (base - minimumThreshold + 1) * delta / (delta + skew)
    }

    /// `a` to `z`, then `0` to `9`.
    private static func digit(_ value: Int) -> UInt8 {
        UInt8(value < 26 ? Int(UInt8(ascii: "a")) + value : Int(UInt8(ascii: "0")) + value - 26)
    }
}
