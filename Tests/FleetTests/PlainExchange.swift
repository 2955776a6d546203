import Foundation
import Glibc
import HTTPTypes
import RequestSigning
import TestSupport

/// One request as bytes, so that a test can send the same ones to two replicas.
struct PlainExchange: Sendable {
    struct NoAnswer: Error {}

    struct Answer: Sendable {
        let status: Int
        /// Head and body.
        let text: String
    }

    private static let limitSeconds = 20

    private let bytes: [UInt8]

    /// A request to an admin route, which needs no signature.
    init(target: String) {
        bytes = Array("GET \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
    }

    /// A request that is signed once, by a clock that is a little ahead: a Redis that has just begun would refuse an older one.
    init(_ method: String, _ target: String, _ body: String? = nil, token: String, key: String? = nil, by signer: RequestSigner) throws {
        var fields: HTTPFields = [.authorization: "Bearer \(token)"]
        if body != nil { fields[.contentType] = "application/json" }
        if let key { fields[HTTPField.Name("idempotency-key")!] = key }
        var request = SignableRequest(method: method, authority: "wallet-ledger", target: target, headerFields: fields)
        let content = body.map { Array($0.utf8) }
        var random = SystemRandomNumberGenerator()
        try signer.sign(&request, body: content, created: LedgerFleet.seconds() + 3, nonce: SigningNonce.random(using: &random))
        var text = "\(method) \(target) HTTP/1.1\r\nHost: wallet-ledger\r\nConnection: close\r\n"
        for field in request.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        if let content { text += "Content-Length: \(content.count)\r\n" }
        bytes = Array((text + "\r\n").utf8) + (content ?? [])
    }

    /// Sends the bytes and reads until the server closes, on a thread of its own.
    func send(to port: Int) async throws -> Answer {
        let text = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try blocking(port) }) }
        }
        guard let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { throw NoAnswer() }
        return Answer(status: status, text: text)
    }

    private func blocking(_ port: Int) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Self.limitSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0, Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw NoAnswer() }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            received += buffer.prefix(count)
        }
        return String(decoding: received, as: UTF8.self)
    }
}
