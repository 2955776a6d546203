import Foundation

/// One HTTP/1.1 exchange over a plain socket, so that a test can send what no client library would.
///
/// On a thread of its own: a blocked thread of the cooperative pool would be missing where the server runs.
package enum HTTPSocket {
    package struct Raw: Sendable {
        package let status: Int
        /// By lower-case name; a name that comes twice is joined by a comma.
        package let fields: [String: String]
        package let body: [UInt8]
    }

    package struct NoAnswer: Error, CustomStringConvertible {
        package let description: String
    }

    package static func exchange(_ bytes: [UInt8], port: Int) async throws -> Raw {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try blocking(bytes, port: port) }) }
        }
    }

    /// Sends requests one after the other without waiting and reads until the answers are complete: the last one ends in a body.
    package static func pipelined(_ requests: [[UInt8]], port: Int) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let socket = try LoopbackSocket(port: port)
                        try socket.send(requests.flatMap(\.self))
                        var received: [UInt8] = []
                        while received.last != UInt8(ascii: "}") { received += try next(socket, after: received) }
                        return String(decoding: received, as: UTF8.self)
                    })
            }
        }
    }

    /// Sends bytes, and nothing after them, and reads until the server closes.
    ///
    /// - Parameter finishing: Whether the end of the bytes is also that of the sending (FIN).
    package static func everything(after bytes: [UInt8], finishing: Bool = false, port: Int) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let socket = try LoopbackSocket(port: port)
                        try socket.send(bytes)
                        if finishing { socket.finishSending() }
                        return String(decoding: socket.receiveAll(), as: UTF8.self)
                    })
            }
        }
    }

    /// Sends bytes and breaks the connection off a while later (RST), without reading.
    package static func breakOff(after bytes: [UInt8], pause: Duration, port: Int) async throws {
        let socket = try LoopbackSocket(port: port)
        try socket.send(bytes)
        try await Task.sleep(for: pause)
        socket.reset()
    }

    private static func blocking(_ bytes: [UInt8], port: Int) throws -> Raw {
        let socket = try LoopbackSocket(port: port)
        // Who is refused before the end of what they send may be cut off, and has their answer all the same.
        try? socket.send(bytes)
        var received: [UInt8] = []
        while true {
            if let answer = try parse(received) { return answer }
            received += try next(socket, after: received)
        }
    }

    private static func next(_ socket: borrowing LoopbackSocket, after received: [UInt8]) throws -> [UInt8] {
        let part = socket.receive()
        guard !part.isEmpty else { throw NoAnswer(description: "ended after \(received.count) bytes (errno \(errno))") }
        return part
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
        // An answer that has no body has no length either (RFC 9110, section 8.6).
        guard let length = status == 204 ? 0 : fields["content-length"].flatMap({ Int($0) }) else {
            throw NoAnswer(description: "no Content-Length")
        }
        let body = bytes[(split + end.count)...]
        return body.count < length ? nil : Raw(status: status, fields: fields, body: Array(body.prefix(length)))
    }
}
