package import StrictJSON

/// Why bytes are not an event, or not one that can be read here.
///
/// Safe to log and to store: it names members of the contract, positions and rules, and never repeats a value.
package enum EventFault: Error, Sendable, Hashable, CustomStringConvertible {
    case tooLarge(bytes: Int)
    case notJSON(JSONError)
    /// A member that is missing, of another type or out of range; `pointer` is an RFC 6901 JSON pointer.
    case member(pointer: String, detail: String)
    /// The event is well-formed, but of a type or version that the reader has no payload for.
    case unsupportedType

    init(_ fault: RequestFault) {
        guard let error = fault.errors.first else {
            self = .member(pointer: "", detail: fault.code.title)
            return
        }
        // A request says "unknown" of an id of another kind so that nobody learns what exists; here nothing has to be hidden.
        let detail = fault.code == .notFound ? "Must be an id of this kind." : error.detail
        self = .member(pointer: error.pointer, detail: detail)
    }

    package var description: String {
        switch self {
        case .tooLarge(let bytes): "the event has \(bytes) bytes; at most \(EventEnvelope.maximumBytes) are read"
        case .notJSON(let error): "the event is not valid JSON: \(error)"
        case .member(let pointer, let detail): "the event's member \(pointer.isEmpty ? "/" : pointer) is wrong: \(detail)"
        case .unsupportedType: "the event is of a type or version that is not handled here"
        }
    }
}
