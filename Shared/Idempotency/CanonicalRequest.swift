package import Contracts
package import StrictJSON

/// The canonical form of a request: route, path parameters and decoded body, as a JSON object with members in a fixed order.
package enum CanonicalRequest {
    package static func render(route: String, _ members: [(name: StaticString, value: JSONValue?)]) -> ExactText {
        var writer = JSONWriter(capacity: 192)
        writer.object { writer in
            writer.member("route", route)
            for (name, value) in members {
                guard let value else { continue }
                writer.name(name)
                writer.value(value)
            }
        }
        return ExactText(String(decoding: writer.bytes, as: UTF8.self))
    }

    package static func object(_ members: [(name: StaticString, value: JSONValue?)]) -> JSONValue {
        .object(members.compactMap { name, value in value.map { JSONMember(name: name.description, value: $0) } })
    }

    /// The JSON pointer of the first member in which two canonical forms differ; `/route` when the routes do.
    package static func firstDifference(_ kept: ExactText, _ new: ExactText) -> String {
        guard let kept = try? JSONParser.parse(kept.string.utf8), let new = try? JSONParser.parse(new.string.utf8) else { return "" }
        if kept["route"] != new["route"] { return "/route" }
        return firstDifference(kept, new, at: "")
    }

    private static func firstDifference(_ kept: JSONValue?, _ new: JSONValue?, at pointer: String) -> String {
        switch (kept, new) {
        case (.object(let old), .object(let members)):
            let name = (members + old).map(\.name).first { kept?[$0] != new?[$0] }
            return name.map { firstDifference(kept?[$0], new?[$0], at: "\(pointer)/\($0)") } ?? pointer
        case (.array(let old), .array(let items)):
            let index = (0..<max(old.count, items.count)).first { $0 >= old.count || $0 >= items.count || old[$0] != items[$0] }
            guard let index else { return pointer }
            guard index < old.count, index < items.count else { return "\(pointer)/\(index)" }
            return firstDifference(old[index], items[index], at: "\(pointer)/\(index)")
        default: return pointer
        }
    }
}
