internal import Glibc

/// Wakes a thread that waits in `poll`: a pipe of its own.
final class WakeUp: Sendable {
    /// Readable when there is a reason to look.
    let descriptor: Int32
    private let input: Int32

    init() throws(AMQPError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw AMQPError(.connectFailed, "no pipe for a connection's thread") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            // A full pipe wakes as well as another byte would.
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        descriptor = ends[0]
        input = ends[1]
    }

    deinit {
        close(descriptor)
        close(input)
    }

    func signal() {
        var byte: UInt8 = 1
        _ = write(input, &byte, 1)
    }

    /// Forgets every signal so far; look for their reasons afterwards.
    func clear() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
        }
    }

    /// Waits for a signal alone.
    func wait(atMost limit: Duration) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, limit.pollMilliseconds)
    }
}

extension Duration {
    /// For `poll`: rounded up, so that a wait does not end just before its time and begins again.
    var pollMilliseconds: Int32 {
        Int32(clamping: max(0, components.seconds * 1000 + (components.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
