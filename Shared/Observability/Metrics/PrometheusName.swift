/// Names as Prometheus accepts them: `[a-zA-Z_:][a-zA-Z0-9_:]*` for metrics, the same without colons for labels.
enum PrometheusName {
    /// A metric's name made of a dotted label.
    static func metric(_ label: String) -> String { name(label, allowsColon: true) }

    /// A label's name. `le` belongs to histograms and gets an underscore.
    static func label(_ label: String) -> String { label == "le" ? "le_" : name(label, allowsColon: false) }

    /// The name with the suffix that convention gives its kind, unless it is there.
    static func metric(_ label: String, suffix: String) -> String {
        let name = metric(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    private static func name(_ text: String, allowsColon: Bool) -> String {
        var bytes = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            case UInt8(ascii: ":") where allowsColon: byte
            default: UInt8(ascii: "_")
            }
        }
        if bytes.first.map({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) ?? true { bytes.insert(UInt8(ascii: "_"), at: 0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
