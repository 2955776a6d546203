import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import StrictJSON

/// What is kept of an atomic batch that was refused, where the batch is long: nothing was posted, so that nothing else holds its items,
/// and whole they are 140 KB a request for 30 days.
///
/// `{"route":…,"mode":"atomic","transfers":["3f9a12",…],"digest":…}`: the digest of the fingerprint decides whether a repeat is the same
/// request; the few digits per item only name the first one that differs.
enum BatchDigest {
    /// A fingerprint of at most so many bytes is kept whole: a dozen transfers, and every request that is no batch.
    private static let longestWhole = 4_096
    private static let itemDigits = 6

    /// The digest of a long fingerprint; nil when it is kept whole.
    static func ofLong(_ fingerprint: RequestFingerprint) -> RequestFingerprint? {
        fingerprint.text.string.utf8.count > longestWhole ? of(fingerprint) : nil
    }

    /// What is no batch has no digest but itself.
    static func of(_ fingerprint: RequestFingerprint) -> RequestFingerprint {
        guard let request = try? JSONParser.parse(fingerprint.text.string.utf8), let route = request["route"]?.stringValue,
            let items = request["transfers"]?.arrayValue
        else { return fingerprint }
        return RequestFingerprint(route: route) { members in
            members.member("mode", ifPresent: request["mode"]?.stringValue)
            members.name("transfers")
            members.array { writer in for item in items { writer.string(String(hexadecimal(of: Self.text(item)).prefix(itemDigits))) } }
            members.member("digest", hexadecimal(of: fingerprint.text.string))
        }
    }

    static func isDigest(_ recorded: RequestFingerprint) -> Bool {
        (try? JSONParser.parse(recorded.text.string.utf8))?["digest"] != nil
    }

    static func firstDifference(of new: RequestFingerprint, from recorded: RequestFingerprint) -> String? {
        let pointer = new.firstDifference(from: recorded)
        return pointer == "/digest" ? "/transfers" : pointer
    }

    private static func hexadecimal(of text: String) -> String { KeyDigest.of(text).uuidString.lowercased() }

    private static func text(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
