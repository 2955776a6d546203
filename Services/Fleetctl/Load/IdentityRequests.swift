package import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The bytes of requests to identity.
package struct IdentityRequests: Sendable {
    private let authority: String

    /// - Parameter authority: Host and port as they stand in the Host field.
    package init(authority: String) {
        self.authority = authority
    }

    package func get(_ target: String) -> ByteBuffer {
        ByteBuffer(string: "GET \(target) HTTP/1.1\r\nhost: \(authority)\r\n\r\n")
    }

    /// - Parameters:
    ///   - form: In application/x-www-form-urlencoded.
    ///   - address: Where the person is, as the gateway would say.
    ///   - credentials: A client's id and secret.
    package func post(_ target: String, _ form: String, from address: String? = nil, by credentials: String? = nil) -> ByteBuffer {
        var head = "POST \(target) HTTP/1.1\r\nhost: \(authority)\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        if let address { head += "florin-client: ip=\"\(address)\"\r\n" }
        if let credentials { head += "authorization: Basic \(credentials)\r\n" }
        return ByteBuffer(string: "\(head)content-length: \(form.utf8.count)\r\n\r\n\(form)")
    }
}

/// A member of a JSON object whose value is a string without escapes, as every token is.
package struct TokenMember: Sendable {
    static let accessToken = TokenMember("access_token")
    static let refreshToken = TokenMember("refresh_token")
    static let authorizationCode = TokenMember("authorization_code")

    private static let quote = UInt8(ascii: "\"")

    private let opening: [UInt8]

    package init(_ name: String) {
        opening = Array("\"\(name)\":\"".utf8)
    }

    /// - Returns: nil where the body has no such member.
    package func value(in body: UnsafeRawBufferPointer) -> String? {
        guard let start = body.end(of: opening), let end = body[start...].firstIndex(of: Self.quote) else { return nil }
        return String(decoding: body[start..<end], as: UTF8.self)
    }
}

extension UnsafeRawBufferPointer {
    /// Where the bytes end that are looked for, at least one; nil where they are not. The standard library's search costs ten times as much.
    func end(of wanted: [UInt8]) -> Int? {
        guard let base = baseAddress else { return nil }
        var start = 0
        while start + wanted.count <= count, let found = memchr(base + start, Int32(wanted[0]), count - start - wanted.count + 1) {
            start = UnsafeRawPointer(found) - base
            if memcmp(base + start, wanted, wanted.count) == 0 { return start + wanted.count }
            start += 1
        }
        return nil
    }
}
