import Foundation

/// One HTTP/1.1 request over a plain socket, on a thread of its own: a blocked thread of Dispatch would be missing in the cooperative pool.
enum PlainHTTP {
    struct Answer: Sendable {
        let status: Int
        let head: String
        let body: String
    }

    struct NoAnswer: Error {}

    static func get(_ path: String, port: Int) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try exchange("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", port: port) })
            }
        }
    }

    private static func exchange(_ request: String, port: Int) throws -> Answer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0, send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else { throw NoAnswer() }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            received += buffer.prefix(count)
        }
        let parts = String(decoding: received, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        guard parts.count == 2, let status = Int(parts[0].split(separator: " ").dropFirst().first ?? "") else { throw NoAnswer() }
        return Answer(status: status, head: parts[0].lowercased(), body: parts[1])
    }
}
