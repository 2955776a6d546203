import FoundationEssentials
import StrictJSON

/// JSON as tokens must have it: UTF-8, and no member twice, whose first or last value another reader would take (RFC 7515, section 4;
/// RFC 7519, section 4).
enum TokenJSON {
    /// Nil when the bytes are anything else, or not a value of this type.
    static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) -> Value? {
        // Foundation's decoder guesses the encoding and takes the first of two members.
        guard (try? JSONParser.parse(bytes)) != nil else { return nil }
        return try? JSONDecoder().decode(Value.self, from: Data(bytes))
    }
}
