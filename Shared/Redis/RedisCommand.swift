/// A command in the form in which it is sent. It shows its name and nothing else: an argument may be a password.
package struct RedisCommand: Sendable {
    /// Nothing that this fleet keeps in Redis is larger.
    package static let maximumBytes = 1_048_576

    /// `SET`, `CLIENT SETNAME`; constant text.
    package let name: StaticString
    let encoded: [UInt8]

    /// - Parameters:
    ///   - name: One word, or two for a subcommand.
    ///   - arguments: What follows, as bytes of any kind.
    package init(_ name: StaticString, _ arguments: [[UInt8]]) {
        self.name = name
        let words = "\(name)".split(separator: " ").map { Array($0.utf8) } + arguments
        var encoded: [UInt8] = []
        encoded.reserveCapacity(words.reduce(16) { $0 + $1.count + 12 })
        encoded.append(contentsOf: "*\(words.count)\r\n".utf8)
        for word in words {
            encoded.append(contentsOf: "$\(word.count)\r\n".utf8)
            encoded.append(contentsOf: word)
            encoded.append(contentsOf: [0x0D, 0x0A])
        }
        self.encoded = encoded
    }

    /// A command of texts.
    package init(_ name: StaticString, _ arguments: String...) {
        self.init(name, arguments.map { Array($0.utf8) })
    }

    /// `SET key value NX PX milliseconds`: kept for a while, unless the key is there already.
    package static func setIfAbsent(_ key: [UInt8], to value: [UInt8], milliseconds: Int64) -> RedisCommand {
        RedisCommand("SET", [key, value, Array("NX".utf8), Array("PX".utf8), Array("\(milliseconds)".utf8)])
    }
}

extension RedisCommand: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(name)" }
    package var customMirror: Mirror { Mirror(self, children: ["name": description]) }
}
