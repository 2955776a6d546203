import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The keys in use, read from a file that may be replaced while the process runs.
package final class SigningKeyStore: Sendable {
    /// What tells one state of a file from another: a mounted secret is swapped as a whole, an editor writes in place.
    private struct Stamp: Equatable {
        var device: UInt64
        var inode: UInt64
        var bytes: Int64
        var modifiedSeconds: Int64
        var modifiedNanoseconds: Int64

        init(_ status: stat) {
            device = UInt64(truncatingIfNeeded: status.st_dev)
            inode = UInt64(truncatingIfNeeded: status.st_ino)
            bytes = Int64(status.st_size)
            #if canImport(Darwin)
            modifiedSeconds = Int64(status.st_mtimespec.tv_sec)
            modifiedNanoseconds = Int64(status.st_mtimespec.tv_nsec)
            #else
            modifiedSeconds = Int64(status.st_mtim.tv_sec)
            modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
            #endif
        }
    }

    private struct State {
        var keys: SigningKeys
        var stamp: Stamp?
    }

    private let path: String?
    private let state: Mutex<State>

    /// Reads the file.
    ///
    /// - Throws: ``SigningKeysError`` when it cannot be read or used.
    package init(path: String) throws(SigningKeysError) {
        let (bytes, stamp) = try Self.read(path, unlessStamp: nil)
        let keys = try SigningKeyFile.parse(bytes ?? [])
        self.path = path
        state = Mutex(State(keys: keys, stamp: stamp))
    }

    /// Keeps keys that come from no file and never change.
    package init(keys: SigningKeys) {
        path = nil
        state = Mutex(State(keys: keys, stamp: nil))
    }

    /// The keys to use for the request at hand.
    package var current: SigningKeys {
        state.withLock { $0.keys }
    }

    /// Reads the file again when it is another one than at the last success.
    ///
    /// - Returns: Whether the keys were replaced.
    /// - Throws: ``SigningKeysError`` when the new file cannot be used; the old keys stay, and the next call tries, and reports, again.
    package func reloadIfChanged() throws(SigningKeysError) -> Bool {
        guard let path else { return false }
        let (service, known) = state.withLock { ($0.keys.service, $0.stamp) }
        let (bytes, stamp) = try Self.read(path, unlessStamp: known)
        guard let bytes else { return false }
        let keys = try SigningKeyFile.parse(bytes)
        guard keys.service == service else { throw .invalid("/service", .serviceChanged) }
        state.withLock { $0 = State(keys: keys, stamp: stamp) }
        return true
    }

    /// The file's bytes, or nil when its stamp is the known one. The stamp is taken from the open file, before its bytes: a write that
    /// comes between makes the next look see another stamp.
    private static func read(_ path: String, unlessStamp known: Stamp?) throws(SigningKeysError) -> ([UInt8]?, Stamp) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, errno: errno) }
        let stamp = Stamp(status)
        if stamp == known { return (nil, stamp) }
        guard stamp.bytes <= SigningKeyFile.maximumBytes else { throw .tooLarge(path: path) }
        var bytes = [UInt8](repeating: 0, count: SigningKeyFile.maximumBytes + 1)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Self.read(descriptor, into: $0, from: filled) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path: path, errno: errno) }
            if count == 0 { break }
            filled += count
        }
        guard filled <= SigningKeyFile.maximumBytes else { throw .tooLarge(path: path) }
        return (Array(bytes[..<filled]), stamp)
    }

    private static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Int {
        #if canImport(Darwin)
        Darwin.read(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
        #elseif canImport(Musl)
        Musl.read(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
        #else
        Glibc.read(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
        #endif
    }
}
