import Foundation

/// One HTTP/1.1 request over a plain socket, on a thread of its own: a blocked thread of Dispatch would be missing in the cooperative pool.
package enum PlainHTTP {
    package struct Answer: Sendable {
        package let status: Int
        package let head: String
        package let body: String
    }

    package struct NoAnswer: Error {}

    package static func get(_ path: String, port: Int) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try exchange("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", port: port) })
            }
        }
    }

    private static func exchange(_ request: String, port: Int) throws -> Answer {
        let socket = try LoopbackSocket(port: port)
        try socket.send(Array(request.utf8))
        let parts = String(decoding: socket.receiveAll(), as: UTF8.self).components(separatedBy: "\r\n\r\n")
        guard parts.count == 2, let status = Int(parts[0].split(separator: " ").dropFirst().first ?? "") else { throw NoAnswer() }
        return Answer(status: status, head: parts[0].lowercased(), body: parts[1])
    }
}
