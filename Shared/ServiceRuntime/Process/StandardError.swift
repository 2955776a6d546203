#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The one line that a process says to its operator when it cannot go on.
package enum StandardError {
    /// Writes one line, whatever the text holds.
    package static func write(line text: String) {
        let bytes = Array("\(PlainLine.text(text))\n".utf8)
        _ = bytes.withUnsafeBytes { writeBytes(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

private func writeBytes(_ fileDescriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(fileDescriptor, bytes, count)
}
