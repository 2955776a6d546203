import Foundation
import Glibc

/// A port of the loopback address that is listened on. Until somebody accepts, the system lets clients in who then get no answer.
package final class LoopbackListener: Sendable {
    private static let backlog: Int32 = 128

    package let port: Int
    private let descriptor: Int32

    package init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, Self.backlog) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard result == 0 else { throw LoopbackSocket.Failure(description: "cannot listen (errno \(errno))") }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    /// Waits for the next client, on a thread that may block.
    ///
    /// - Returns: its descriptor, nil once the listener was stopped.
    package func accept() -> Int32? {
        let client = Glibc.accept(descriptor, nil, nil)
        return client >= 0 ? client : nil
    }

    package func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
