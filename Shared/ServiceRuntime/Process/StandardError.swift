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

    /// Writes one line for people who watch a command; nil where standard error is no terminal.
    package static var toTerminal: (@Sendable (_ line: String) -> Void)? { isatty(STDERR_FILENO) == 1 ? write(line:) : nil }
}

private func writeBytes(_ fileDescriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(fileDescriptor, bytes, count)
}
