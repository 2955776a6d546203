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
    /// Where a server's logs go: the container's collector reads standard output.
    package static let standardOutput = LogOutput(fileDescriptor: STDOUT_FILENO)
    /// Where the logs of a command go whose standard output is its result.
    package static let standardError = LogOutput(fileDescriptor: STDERR_FILENO)

    private let fileDescriptor: Mutex<Int32>

    /// - Parameter fileDescriptor: Stays open as long as this object; it is not closed by it.
    package init(fileDescriptor: Int32) {
        self.fileDescriptor = Mutex(fileDescriptor)
    }

    /// Writes a line in one call, so that a reader never sees two lines mixed; a line that the descriptor refuses is lost.
    func write(_ line: [UInt8]) {
        fileDescriptor.withLock { fileDescriptor in
            Self.write(line, to: fileDescriptor)
        }
    }

    private static func write(_ line: [UInt8], to fileDescriptor: Int32) {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let buffer = UnsafeRawBufferPointer(rebasing: rest)
                let written = writeBytes(fileDescriptor, buffer.baseAddress, buffer.count)
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

/// The C function, by a name that the method called `write` does not hide.
private func writeBytes(_ fileDescriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(fileDescriptor, bytes, count)
}
