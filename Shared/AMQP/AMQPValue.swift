/// A value of a message's header or of a declaration's argument (AMQP 0-9-1, 4.2.5, with RabbitMQ's type letters).
package enum AMQPValue: Sendable, Hashable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    case array([AMQPValue])
    case table([String: AMQPValue])
    /// What others may send and we don't read: floating point, decimals, nothing at all, tables nested too deeply.
    case unsupported

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// How many bytes it takes on the wire at most, its type letter included.
    var encodedSize: Int {
        switch self {
        case .string(let value): 5 + value.utf8.count
        case .bytes(let value): 5 + value.count
        case .integer, .timestamp: 9
        case .boolean: 2
        case .array(let values): values.reduce(5) { $0 + $1.encodedSize }
        case .table(let values): 1 + Self.encodedSize(of: values)
        case .unsupported: 1
        }
    }

    /// Whether it has, at any depth, a name that is longer than a short string may be. One that came with 255 bytes that are no UTF-8 is.
    var hasLongName: Bool {
        switch self {
        case .table(let values): values.contains { $0.key.utf8.count > AMQPMessage.longestShortString || $0.value.hasLongName }
        case .array(let values): values.contains(where: \.hasLongName)
        case .string, .integer, .boolean, .bytes, .timestamp, .unsupported: false
        }
    }

    static func encodedSize(of table: [String: AMQPValue]) -> Int {
        table.reduce(4) { $0 + 1 + $1.key.utf8.count + $1.value.encodedSize }
    }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}
