import Foundation

/// One HTTP/1.1 exchange over a plain socket, so that a test can send what no client library would.
///
/// On a thread of its own: a blocked thread of the cooperative pool would be missing where the server runs.
enum LedgerSocket {
    struct Raw: Sendable {
        let status: Int
        /// By lower-case name; a name that comes twice is joined by a comma.
        let fields: [String: String]
        let body: [UInt8]
    }

    struct NoAnswer: Error, CustomStringConvertible {
        let description: String
    }

    private static let answerLimitSeconds = 30

    static func exchange(_ bytes: [UInt8], port: Int) async throws -> Raw {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try blocking(bytes, port: port) }) }
        }
    }

    /// Sends requests one after the other without waiting and reads until the answers are complete: the last one ends in a body.
    static func pipelined(_ requests: [[UInt8]], port: Int) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let descriptor = try open(requests.flatMap(\.self), port: port)
                        defer { close(descriptor) }
                        var received: [UInt8] = []
                        var buffer = [UInt8](repeating: 0, count: 65_536)
                        while received.last != UInt8(ascii: "}") {
                            let count = recv(descriptor, &buffer, buffer.count, 0)
                            guard count > 0 else { throw NoAnswer(description: "ended after \(received.count) bytes (errno \(errno))") }
                            received += buffer.prefix(count)
                        }
                        return String(decoding: received, as: UTF8.self)
                    })
            }
        }
    }

    /// Connects and sends.
    private static func open(_ bytes: [UInt8], port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: answerLimitSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else {
            close(descriptor)
            throw NoAnswer(description: "not connected (errno \(errno))")
        }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else {
                close(descriptor)
                throw NoAnswer(description: "not sent (errno \(errno))")
            }
            sent += count
        }
        return descriptor
    }

    private static func blocking(_ bytes: [UInt8], port: Int) throws -> Raw {
        let descriptor = try open(bytes, port: port)
        defer { close(descriptor) }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let answer = try parse(received) { return answer }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw NoAnswer(description: "ended after \(received.count) bytes (errno \(errno))") }
            received += buffer.prefix(count)
        }
    }

    /// - Returns: nil while the answer is not complete.
    private static func parse(_ bytes: [UInt8]) throws -> Raw? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard let split = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
        let lines = String(decoding: bytes[..<split], as: UTF8.self).components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw NoAnswer(description: "no status line: \(lines[0])")
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            fields.merge([parts[0].lowercased(): parts.count == 2 ? parts[1] : ""]) { "\($0), \($1)" }
        }
        guard let length = fields["content-length"].flatMap({ Int($0) }) else { throw NoAnswer(description: "no Content-Length") }
        let body = bytes[(split + end.count)...]
        return body.count < length ? nil : Raw(status: status, fields: fields, body: Array(body.prefix(length)))
    }
}
