import Foundation
import Synchronization

/// A TCP port of the loopback address that is free now, and that no other caller of this process gets.
///
/// Below the ports that the kernel gives to outgoing connections: a port that it chose would be free for the next connection as well, and
/// a server that binds it a moment later, or again after a restart, would find it taken.
package enum FreePort {
    private static let lowest = 16_384
    /// Linux's default, where the kernel does not tell its own.
    private static let usualEphemeral = 32_768
    private static let attempts = 1_000
    private static let given = Mutex<Set<Int>>([])

    package static func any() throws -> Int {
        let candidates = lowest..<max(ephemeral, lowest + attempts)
        for _ in 0..<attempts {
            let port = Int.random(in: candidates)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if isFree(port) { return port }
        }
        throw PostgresServer.StartFailure(description: "no free port from \(candidates.lowerBound) to \(candidates.upperBound - 1)")
    }

    /// Where the kernel's own choice begins.
    private static let ephemeral: Int = {
        let text = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        return text?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? usualEphemeral
    }()

    private static func isFree(_ port: Int) -> Bool {
        withSocket(to: port) { descriptor, address in bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }

    /// Whether somebody listens there.
    package static func answers(_ port: Int) -> Bool {
        withSocket(to: port) { descriptor, address in connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }

    private static func withSocket(to port: Int, _ body: (Int32, UnsafePointer<sockaddr>) -> Bool) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0) }
        }
    }
}
