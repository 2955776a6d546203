import Glibc
import HTTPTypes

/// The network that a person's request comes from, as the gateway says (`florin-client: ip="203.0.113.7"`).
///
/// Never the whole address: attempts are counted and devices shown by what a provider gives to one household, and nothing more is kept.
/// Requests that did not come through the gateway have none, and share one counter.
enum ClientNetwork {
    static let unknown = "unknown"
    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
    private static let name = HTTPField.Name("florin-client")!

    static func of(_ headers: HTTPFields) -> String {
        let parts = (headers[name] ?? "").split(separator: ",").map { $0.filter { $0 != " " && $0 != "\"" } }
        guard let text = parts.first(where: { $0.hasPrefix("ip=") })?.dropFirst(3) else { return unknown }
        return prefix(of: String(text)) ?? unknown
    }

    /// /24 of an IPv4 address, /64 of an IPv6 address; nil for what is neither.
    private static func prefix(of text: String) -> String? {
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { prefix(ofFour: Array($0)) } }
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        // As a socket for both shows IPv4 (RFC 4291, section 2.5.5.2): one /64 has all of it.
        if bytes.starts(with: mappedPrefix) { return prefix(ofFour: Array(bytes[mappedPrefix.count...])) }
        let groups = stride(from: 0, to: 8, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/64"
    }

    private static func prefix(ofFour bytes: [UInt8]) -> String { "\(bytes[0]).\(bytes[1]).\(bytes[2]).0/24" }
}
