import Foundation
import Glibc

/// A plain TCP connection to this machine for a test that needs bytes on the wire as they are. It blocks: use it on a thread of its own.
package struct LoopbackSocket: ~Copyable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let receiveLimitSeconds = 30

    private let descriptor: Int32

    package init(port: Int) throws(Failure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: Self.receiveLimitSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Failure(description: "not connected (errno \(errno))") }
    }

    deinit { close(descriptor) }

    package func send(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(description: "not sent (errno \(errno))") }
            sent += count
        }
    }

    /// Ends what is sent (FIN); answers are still received.
    package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Breaks the connection off (RST).
    package consuming func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    /// What has come by now or comes next; empty when the server has closed, or sent nothing for 30 s.
    package func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(count, 0)))
    }

    /// Everything until the server closes.
    package func receiveAll() -> [UInt8] {
        var received: [UInt8] = []
        while true {
            let part = receive()
            guard !part.isEmpty else { return received }
            received += part
        }
    }
}
