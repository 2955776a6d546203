import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A small file of the local issuer, written so that no reader ever sees half of it or finds it open to others for a moment.
struct IssuerFile {
    let path: String
    let mode: mode_t

    /// What the file holds, or nil if there is none.
    func read() throws(LocalTokenIssuerError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else { throw .fileFailed(path: path, code: errno) }
        return Array(data)
    }

    /// Writes the file unless there is one already; of several that try at once one succeeds.
    /// - Returns: whether this call wrote it.
    func create(_ contents: [UInt8]) throws(LocalTokenIssuerError) -> Bool {
        let draft = try draft(contents)
        defer { unlink(draft) }
        if link(draft, path) == 0 { return true }
        guard errno == EEXIST else { throw .fileFailed(path: path, code: errno) }
        return false
    }

    /// Writes the file in place of the one that may be there.
    func replace(_ contents: [UInt8]) throws(LocalTokenIssuerError) {
        let draft = try draft(contents)
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            throw .fileFailed(path: path, code: code)
        }
    }

    private func draft(_ contents: [UInt8]) throws(LocalTokenIssuerError) -> String {
        let draft = "\(path).\(UInt64.random(in: .min ... .max))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .fileFailed(path: draft, code: errno) }
        // These files are a few hundred bytes, which a local file system takes in one write.
        let written = contents.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let code = errno
        guard close(descriptor) == 0, written == contents.count else {
            unlink(draft)
            throw .fileFailed(path: draft, code: code)
        }
        return draft
    }
}
