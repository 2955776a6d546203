#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Reads what an operator names: a file, or a pipe, which FoundationEssentials doesn't read.
package enum InputFile {
    /// More than any fleet's rendered manifests.
    private static let maximumBytes = 64 * 1024 * 1024
    private static let chunk = 64 * 1024

    /// The whole content; nil when it cannot be read or is too long.
    package static func content(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: chunk)
        while bytes.count <= maximumBytes {
            let count = read(descriptor, &buffer, chunk)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EINTR {
                return nil
            }
        }
        return nil
    }
}
