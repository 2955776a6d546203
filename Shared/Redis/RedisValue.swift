/// A reply of the server, in the shapes of RESP2 and RESP3.
///
/// Sets and maps come as arrays, a map as key, value, key, value: as RESP2 spells them, so that nobody need ask which version is spoken.
package enum RedisValue: Sendable, Hashable {
    case null
    case simple(String)
    case error(RedisServerError)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case bulk([UInt8])
    case array([RedisValue])
    /// Something the server says unasked; it answers no command.
    case push([RedisValue])

    /// A text, whichever of the two ways it was sent; nil when it is something else.
    package var text: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null, .error, .integer, .double, .boolean, .array, .push: nil
        }
    }

    package var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    package var array: [RedisValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }
}

/// An error that the server answered with.
package struct RedisServerError: Sendable, Hashable {
    private static let maximumCodeLength = 32

    /// The whole line. It may repeat a command's arguments: not for logs.
    package let message: String

    package init(message: String) {
        self.message = message
    }

    /// The first word, `OOM` or `WRONGPASS` say, when it is one in capitals; `ERR` otherwise. Safe to log.
    package var code: String {
        let word = message.prefix { $0 != " " }
        let isCode = !word.isEmpty && word.utf8.count <= Self.maximumCodeLength && word.utf8.allSatisfy { (0x41...0x5A).contains($0) }
        return isCode ? String(word) : "ERR"
    }
}
