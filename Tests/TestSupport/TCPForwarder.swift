import Foundation
import Glibc
import Synchronization

/// An address of this machine behind which a server may be replaced by another, as a service's name moves at a fail-over.
///
/// Connections that are open stay with the server that they were opened to.
package final class TCPForwarder: Sendable {
    private let listener: LoopbackListener
    private let target: Mutex<Int>

    package init(to target: Int) throws {
        let listener = try LoopbackListener()
        self.listener = listener
        self.target = Mutex(target)
        Thread.detachNewThread { [weak self] in
            while let client = listener.accept() {
                guard let target = self?.target.withLock({ $0 }) else {
                    close(client)
                    return
                }
                Self.forward(client, to: target)
            }
        }
    }

    deinit { listener.stop() }

    package var port: Int { listener.port }

    /// New connections lead to another server from now on.
    package func move(to port: Int) { target.withLock { $0 = port } }

    /// Joins a client with the server, or hangs up when nobody answers there.
    private static func forward(_ client: Int32, to port: Int) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard isConnected else {
            close(client)
            close(server)
            return
        }
        // Each direction ends both; the last one closes the descriptors.
        let pair = Pair(client: client, server: server)
        Thread.detachNewThread { pair.pump(from: client, to: server) }
        Thread.detachNewThread { pair.pump(from: server, to: client) }
    }

    private final class Pair: Sendable {
        private let client: Int32
        private let server: Int32

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        deinit {
            close(client)
            close(server)
        }

        func pump(from source: Int32, to destination: Int32) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(source, &buffer, buffer.count, 0)
                guard count > 0, send(buffer, count, to: destination) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }

        private func send(_ bytes: [UInt8], _ count: Int, to descriptor: Int32) -> Bool {
            var sent = 0
            while sent < count {
                let step = bytes[sent..<count].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard step > 0 else { return false }
                sent += step
            }
            return true
        }
    }
}
