internal import AMQP
internal import Contracts
internal import Crypto
internal import FoundationEssentials
internal import Postgres
import StrictJSON

/// A message's headers as a dead letter keeps them: JSON of a bounded size.
enum MessageHeaders {
    /// What goes beyond is left out, and `x-florin-truncated` says so.
    static let maximumBytes = 16_384
    private static let maximumDepth = 8
    private static let truncated = "x-florin-truncated"

    /// Our own headers first, then the others by name, as many as there is room for.
    static func json(_ headers: [String: AMQPValue]) -> PostgresJSON {
        var members: [JSONMember] = []
        var size = 0
        var isTruncated = false
        let names = headers.keys.sorted { left, right in
            let (isOurs, isTheirs) = (left.hasPrefix("x-florin-"), right.hasPrefix("x-florin-"))
            return isOurs == isTheirs ? left < right : isOurs
        }
        for name in names {
            guard let header = headers[name] else { continue }
            let member = JSONMember(name: text(name), value: value(header, depth: 0))
            let bytes = written(.object([member])).count
            guard size + bytes <= maximumBytes else {
                isTruncated = true
                continue
            }
            size += bytes
            members.append(member)
        }
        if isTruncated { members.append(JSONMember(name: truncated, value: .bool(true))) }
        return PostgresJSON(String(decoding: written(.object(members)), as: UTF8.self))
    }

    private static func value(_ value: AMQPValue, depth: Int) -> JSONValue {
        guard depth < maximumDepth else { return .null }
        return switch value {
        case .string(let string): .string(text(string))
        case .integer(let number): .number("\(number)")
        case .boolean(let flag): .bool(flag)
        case .bytes(let bytes): .string(Data(bytes).base64EncodedString())
        case .timestamp(let seconds): .number("\(seconds)")
        case .array(let values): .array(values.map { self.value($0, depth: depth + 1) })
        case .table(let table):
            .object(table.keys.sorted().map { JSONMember(name: text($0), value: self.value(table[$0] ?? .unsupported, depth: depth + 1)) })
        case .unsupported: .null
        }
    }

    /// jsonb can't hold a NUL.
    private static func text(_ text: String) -> String { text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text }

    private static func written(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }
}
