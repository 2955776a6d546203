import FoundationEssentials

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
        /// The folder cannot be listed.
        case cannotList(path: String)
        /// Another process is changing the folder.
        case inUse(path: String)
        /// A link, a folder or the like stands where the file should: replacing it would not replace what it leads to.
        case notAFile(path: String)

        package var description: String {
            switch self {
            case .exists(let path): "\(path) exists already"
            case .cannotWrite(let path, let errno): "\(path) cannot be written (errno \(errno))"
            case .cannotList(let path): "\(path) cannot be listed"
            case .inUse(let path): "another process is changing the keys in \(path)"
            case .notAFile(let path): "\(path) is not a file"
            }
        }
    }

    private static let folderMode: mode_t = 0o700
    private static let fileMode: mode_t = 0o600
    private static let suffix = ".keys.json"

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Where a service's keys file stands.
    package func path(of service: String) -> String { path + "/" + service + Self.suffix }

    /// The services whose keys files are here, by name.
    package func services() throws(Failure) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { throw .cannotList(path: path) }
        return names.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }.filter(SigningKeys.isServiceName).sorted()
    }

    /// Keeps other processes from changing the folder until the body has ended; the system releases it when this process dies.
    ///
    /// - Throws: ``Failure/inUse(path:)`` at once when another process is at it.
    package func withLock<Value>(_ body: () throws -> Value) throws -> Value {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure.cannotList(path: path) }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw Failure.inUse(path: path) }
        return try body()
    }

    /// Replaces a service's file at once as a whole, keeping owner, group and mode: whoever could read it still can, and nobody else.
    ///
    /// Inside ``withLock(_:)`` only: a draft that is there already was left by a process that was killed.
    package func replace(_ keys: SigningKeys) throws(Failure) {
        let path = path(of: keys.service)
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .cannotWrite(path: path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        let draft = "\(path).rotation.draft"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, Self.fileMode)
        guard descriptor >= 0 else { throw .cannotWrite(path: draft, errno: errno) }
        defer { unlink(draft) }
        // The owner before the mode: a change of owner may clear bits of it.
        var failed = fchown(descriptor, status.st_uid, status.st_gid) == 0 ? 0 : errno
        if failed == 0 { failed = Self.fill(descriptor, with: SigningKeyFile.render(keys), mode: status.st_mode & 0o7777) }
        guard close(descriptor) == 0, failed == 0 else { throw .cannotWrite(path: draft, errno: failed == 0 ? errno : failed) }
        guard rename(draft, path) == 0, syncFolder() else { throw .cannotWrite(path: path, errno: errno) }
    }

    /// Makes the renames so far last: a stage that was reported as done must not be undone by a power failure after the next one.
    private func syncFolder() -> Bool {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }

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
        let error = Self.fill(descriptor, with: bytes, mode: Self.fileMode)
        guard close(descriptor) == 0, error == 0 else { throw .cannotWrite(path: draft, errno: error == 0 ? errno : error) }
        if replacing {
            guard rename(draft, path) == 0 else { throw .cannotWrite(path: path, errno: errno) }
        } else {
            // Unlike a rename, a link never replaces what came between.
            guard link(draft, path) == 0 else { throw errno == EEXIST ? .exists(path: path) : .cannotWrite(path: path, errno: errno) }
        }
    }

    /// - Returns: The `errno` of the call that failed, or 0.
    private static func fill(_ descriptor: Int32, with bytes: [UInt8], mode: mode_t) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = systemWrite(descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { return errno }
                written += count
            }
            return fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0 ? 0 : errno
        }
    }
}

/// `write(2)`, which the methods of the same name above would hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
