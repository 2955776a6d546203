/// The parts of an `amqp://` or `amqps://` URL, percent-decoded, before any is judged.
struct AMQPURL {
    let isEncrypted: Bool
    let user: String?
    let password: String?
    let host: String
    let port: String?
    /// Nil where the URL has no path; empty where its path is a slash alone.
    let virtualHost: String?
    let parameters: [String: String]

    /// - Throws: `invalidConfiguration`, which never quotes the URL.
    init(_ url: String) throws(AMQPError) {
        guard let scheme = ["amqp://", "amqps://"].first(where: url.hasPrefix) else {
            throw AMQPError(.invalidConfiguration, "the broker's URL must begin with amqp:// or amqps://")
        }
        isEncrypted = scheme == "amqps://"
        guard !url.contains("#") else { throw Self.malformed }
        let halves = url.dropFirst(scheme.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let places = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        virtualHost = places.count > 1 ? try Self.decode(places[1]) : nil
        guard places.count < 2 || !places[1].contains("/") else { throw Self.malformed }
        var address = places[0]
        if let at = address.lastIndex(of: "@") {
            let credentials = address[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decode(credentials[0])
            password = credentials.count > 1 ? try Self.decode(credentials[1]) : nil
            address = address[address.index(after: at)...]
        } else {
            user = nil
            password = nil
        }
        (host, port) = try Self.hostAndPort(address)
        parameters = try Self.parameters(halves.count > 1 ? halves[1] : "")
    }

    private static var malformed: AMQPError { AMQPError(.invalidConfiguration, "the broker's URL is malformed") }

    private static func hostAndPort(_ address: Substring) throws(AMQPError) -> (String, String?) {
        if address.first == "[" {
            guard let end = address.firstIndex(of: "]") else { throw malformed }
            let rest = address[address.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { throw malformed }
            return (String(address[address.index(after: address.startIndex)..<end]), rest.isEmpty ? nil : String(rest.dropFirst()))
        }
        let pieces = address.split(separator: ":", omittingEmptySubsequences: false)
        guard pieces.count <= 2 else { throw malformed }
        return (try decode(pieces[0]), pieces.count > 1 ? String(pieces[1]) : nil)
    }

    private static func parameters(_ query: Substring) throws(AMQPError) -> [String: String] {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, values.updateValue(try decode(sides[1]), forKey: try decode(sides[0])) == nil else { throw malformed }
        }
        return values
    }

    private static func decode(_ text: Substring) throws(AMQPError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { throw malformed }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw malformed }
        return decoded
    }
}
