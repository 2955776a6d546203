#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A folder of keys files, `<service>.keys.json` each, that only their owner can read.
package struct SigningKeyFolder: Sendable {
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The file is there already and was not to be replaced.
        case exists(path: String)
        /// A system call on the path failed; `errno` says why.
        case cannotWrite(path: String, errno: Int32)

        package var description: String {
            switch self {
            case .exists(let path): "\(path) exists already"
            case .cannotWrite(let path, let errno): "\(path) cannot be written (errno \(errno))"
            }
        }
    }

    private static let folderMode: mode_t = 0o700
    private static let fileMode: mode_t = 0o600

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Where a service's keys file stands.
    package func path(of service: String) -> String { "\(path)/\(service).keys.json" }

    /// Writes one file per service, mode 0600, each complete or not at all; the folder is made when its parent is there.
    ///
    /// - Parameter replacing: Whether files that are there already are replaced; otherwise nothing is written when one of them is.
    /// - Returns: The paths written, in the given order.
    package func write(_ keys: [SigningKeys], replacing: Bool) throws(Failure) -> [String] {
        if mkdir(path, Self.folderMode) != 0 && errno != EEXIST { throw .cannotWrite(path: path, errno: errno) }
        let paths = keys.map { path(of: $0.service) }
        if !replacing {
            for path in paths where access(path, F_OK) == 0 { throw .exists(path: path) }
        }
        for (path, keys) in zip(paths, keys) { try write(SigningKeyFile.render(keys), to: path, replacing: replacing) }
        return paths
    }

    private func write(_ bytes: [UInt8], to path: String, replacing: Bool) throws(Failure) {
        let draft = "\(path).\(getpid()).draft"
        // Exclusive, so that no file or link of another's is ever opened; the mode holds from the first byte on.
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, Self.fileMode)
        guard descriptor >= 0 else { throw .cannotWrite(path: draft, errno: errno) }
        defer { unlink(draft) }
        let error = Self.fill(descriptor, with: bytes)
        guard close(descriptor) == 0, error == 0 else { throw .cannotWrite(path: draft, errno: error == 0 ? errno : error) }
        if replacing {
            guard rename(draft, path) == 0 else { throw .cannotWrite(path: path, errno: errno) }
        } else {
            // Unlike a rename, a link never replaces what came between.
            guard link(draft, path) == 0 else { throw errno == EEXIST ? .exists(path: path) : .cannotWrite(path: path, errno: errno) }
        }
    }

    /// - Returns: The `errno` of the call that failed, or 0.
    private static func fill(_ descriptor: Int32, with bytes: [UInt8]) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = systemWrite(descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { return errno }
                written += count
            }
            return fchmod(descriptor, fileMode) == 0 && fsync(descriptor) == 0 ? 0 : errno
        }
    }
}

/// `write(2)`, which the methods of the same name above would hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
