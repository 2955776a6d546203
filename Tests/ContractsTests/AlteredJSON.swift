import Contracts
import StrictJSON

/// Copies of a JSON text, each with one member removed, put in or given another value.
struct AlteredJSON {
    /// Where: `/data/legs/0/amount`.
    let pointer: String
    /// What: `removed`, `added`, or the JSON that stands there now.
    let change: String
    let value: JSONValue

    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    /// Values that most members can't have.
    static let replacements: [JSONValue] = [
        .null, .bool(true), .number("0"), .number("1"), .number("-1"), .number("1.5"), .number("9007199254740992"),
        .number("123456789012345678901234567890"), .number("1e400"), .string(""), .string("x"), .string("2025-11-21T04:40:00Z"),
        .string("a\u{0}b"), .string(String(repeating: "x", count: 2_000)), .string("wal_01jdd00000e008000000000001"), .array([]), .object([]),
    ]

    static func all(of original: JSONValue) -> [AlteredJSON] {
        walk(original, "").map { AlteredJSON(pointer: $0.pointer, change: $0.change, value: $0.value) }
    }

    private static func walk(_ value: JSONValue, _ pointer: String) -> [(pointer: String, change: String, value: JSONValue)] {
        var altered: [(pointer: String, change: String, value: JSONValue)] = []
        switch value {
        case .object(let members):
            for (index, member) in members.enumerated() {
                let here = "\(pointer)/\(member.name)"
                func with(_ replacement: JSONValue?) -> JSONValue {
                    var copy = members
                    if let replacement { copy[index] = JSONMember(name: member.name, value: replacement) } else { copy.remove(at: index) }
                    return .object(copy)
                }
                altered.append((here, "removed", with(nil)))
                altered += replacements.map { (here, text($0), with($0)) }
                altered += walk(member.value, here).map { ($0.pointer, $0.change, with($0.value)) }
            }
            altered.append(("\(pointer)/another", "added", .object(members + [JSONMember(name: "another", value: .object([]))])))
        case .array(let items):
            for (index, item) in items.enumerated() {
                func with(_ replacement: JSONValue?) -> JSONValue {
                    var copy = items
                    if let replacement { copy[index] = replacement } else { copy.remove(at: index) }
                    return .array(copy)
                }
                altered.append(("\(pointer)/\(index)", "removed", with(nil)))
                altered += walk(item, "\(pointer)/\(index)").map { ($0.pointer, $0.change, with($0.value)) }
            }
            altered.append(("\(pointer)/-", "added", .array(items + items.prefix(1))))
        case .null, .bool, .number, .string: break
        }
        return altered
    }

    private static func text(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return String(String(decoding: writer.bytes, as: UTF8.self).prefix(40))
    }
}
