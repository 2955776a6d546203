import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A descriptor that lines are written to, one at a time: loggers of all threads share it.
package final class LogOutput: Sendable {
    /// Where logs go: the container's collector reads standard output.
    package static let standardOutput = LogOutput(fileDescriptor: STDOUT_FILENO)

    private let fileDescriptor: Mutex<Int32>

    /// - Parameter fileDescriptor: Stays open as long as this object; it is not closed by it.
    package init(fileDescriptor: Int32) {
        self.fileDescriptor = Mutex(fileDescriptor)
    }

    /// Writes a line in one call, so that a reader never sees two lines mixed; a line that the descriptor refuses is lost.
    func write(_ line: [UInt8]) {
        fileDescriptor.withLock { fileDescriptor in
            line.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let written = systemWrite(fileDescriptor, rest)
                    if written > 0 {
                        rest = rest.dropFirst(written)
                    } else if errno != EINTR {
                        return
                    }
                }
            }
        }
    }

    private func systemWrite(_ fileDescriptor: Int32, _ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
        let buffer = UnsafeRawBufferPointer(rebasing: bytes)
        return unistdWrite(fileDescriptor, buffer.baseAddress, buffer.count)
    }
}

/// The C function, by a name that methods called `write` do not hide.
private func unistdWrite(_ fileDescriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(fileDescriptor, bytes, count)
}
