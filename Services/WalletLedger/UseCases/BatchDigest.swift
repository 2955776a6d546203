import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import StrictJSON

/// What is kept of an atomic batch that was refused, where the batch is long: nothing was posted, so that nothing else holds its items,
/// and whole they are 140 KB a request for 30 days.
///
/// `{"route":…,"mode":"atomic","transfers":["3f9a12",…],"digest":…}`: the digest of the canonical form decides whether a repeat is the same
/// request; the few digits per item only name the first one that differs.
enum BatchDigest {
    /// A form of at most so many bytes is kept whole: a dozen transfers, and every request that is no batch.
    private static let longestWhole = 4_096
    private static let itemDigits = 6

    /// The digest of a long form; nil when the form is kept whole.
    static func ofLong(_ canonical: ExactText) -> ExactText? {
        canonical.string.utf8.count > longestWhole ? of(canonical) : nil
    }

    /// What is no batch has no digest but itself.
    static func of(_ canonical: ExactText) -> ExactText {
        guard let request = try? JSONParser.parse(canonical.string.utf8), let route = request["route"]?.stringValue,
            let items = request["transfers"]?.arrayValue
        else { return canonical }
        return CanonicalRequest.render(
            route: route,
            [
                ("mode", request["mode"]), ("transfers", .array(items.map { .string(String(hexadecimal(of: Self.text($0)).prefix(itemDigits))) })),
                ("digest", .string(hexadecimal(of: canonical.string))),
            ])
    }

    static func isDigest(_ kept: ExactText) -> Bool {
        (try? JSONParser.parse(kept.string.utf8))?["digest"] != nil
    }

    static func firstDifference(_ kept: ExactText, _ new: ExactText) -> String {
        let pointer = CanonicalRequest.firstDifference(kept, new)
        return pointer == "/digest" ? "/transfers" : pointer
    }

    private static func hexadecimal(of text: String) -> String { KeyDigest.of(text).uuidString.lowercased() }

    private static func text(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
