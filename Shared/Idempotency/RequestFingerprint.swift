package import Contracts
package import StrictJSON

/// What decides whether two requests are the same: route, path parameters and decoded body, as a JSON object with members in a fixed order.
///
/// It is stored with the key for 30 days and compared byte by byte, by later releases too: the bytes that a request gives must never change.
/// A member that is absent is not written, so a new optional member leaves the fingerprints of requests without it as they are.
package struct RequestFingerprint: Sendable, Hashable {
    package let text: ExactText

    /// - Parameter members: Writes the members after `route`, straight into the text.
    package init(route: String, _ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(capacity: 192)
        writer.object { writer in
            writer.member("route", route)
            members(&writer)
        }
        text = ExactText(String(decoding: writer.bytes, as: UTF8.self))
    }

    /// A fingerprint as it was stored.
    package init(stored text: String) {
        self.text = ExactText(text)
    }

    /// The JSON pointer of the first member in which this request differs from the one that was recorded: `/route` when the routes do, nil
    /// when the two are the same.
    package func firstDifference(from recorded: RequestFingerprint) -> String? {
        if self == recorded { return nil }
        guard let recorded = try? JSONParser.parse(recorded.text.string.utf8), let new = try? JSONParser.parse(text.string.utf8) else { return "" }
        if recorded["route"] != new["route"] { return "/route" }
        return Self.firstDifference(recorded, new, at: "")
    }

    private static func firstDifference(_ recorded: JSONValue?, _ new: JSONValue?, at pointer: String) -> String {
        switch (recorded, new) {
        case (.object(let old), .object(let members)):
            let name = (members + old).map(\.name).first { recorded?[$0] != new?[$0] }
            return name.map { firstDifference(recorded?[$0], new?[$0], at: "\(pointer)/\($0)") } ?? pointer
        case (.array(let old), .array(let items)):
            let index = (0..<max(old.count, items.count)).first { $0 >= old.count || $0 >= items.count || old[$0] != items[$0] }
            guard let index else { return pointer }
            guard index < old.count, index < items.count else { return "\(pointer)/\(index)" }
            return firstDifference(old[index], items[index], at: "\(pointer)/\(index)")
        default: return pointer
        }
    }
}

extension JSONWriter {
    /// Writes the member, unless there is no value.
    package mutating func member(_ name: StaticString, ifPresent value: String?) {
        if let value { member(name, value) }
    }
}
