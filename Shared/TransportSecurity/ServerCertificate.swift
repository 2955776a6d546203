package import NIOSSL
import Synchronization

/// The certificate that a server shows, and its key, read from files that may be replaced while it serves.
package final class ServerCertificate: Sendable {
    /// The files' bytes, by which a new pair is told from the one in use.
    private struct Pair: Equatable {
        let certificate: [UInt8]
        let key: [UInt8]
    }

    private struct State {
        var pair: Pair
        var context: NIOSSLContext
        var expiresAt: Int64
        /// What the last look found and could not use.
        var rejected: Pair?
    }

    private let certificateFile: String
    private let keyFile: String
    private let state: Mutex<State>

    /// Reads both files.
    ///
    /// - Parameter now: Seconds since the Unix epoch.
    /// - Throws: ``CertificateFileError`` naming the file that cannot be used.
    package init(certificateFile: String, keyFile: String, now: Int64) throws(CertificateFileError) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        let pair = try Self.read(certificateFile, keyFile)
        state = Mutex(try Self.state(of: pair, certificateFile, keyFile, now: now))
    }

    /// What the next connection is encrypted with; those that are open keep theirs.
    package var context: NIOSSLContext { state.withLock { $0.context } }

    /// The last second, since the Unix epoch, in which every certificate of the chain is good.
    package var expiresAt: Int64 { state.withLock { $0.expiresAt } }

    /// Reads the files again, and takes them over when they differ and belong together.
    ///
    /// Two files are not replaced at once: a pair that cannot be used is reported when the next look finds it unchanged.
    ///
    /// - Returns: Whether the certificate was replaced.
    /// - Throws: ``CertificateFileError`` when the new files cannot be used; the old pair stays, and every further look reports it again.
    package func reloadIfChanged(now: Int64) throws(CertificateFileError) -> Bool {
        let pair = try Self.read(certificateFile, keyFile)
        let (used, rejected) = state.withLock { ($0.pair, $0.rejected) }
        guard pair != used else {
            state.withLock { $0.rejected = nil }
            return false
        }
        do throws(CertificateFileError) {
            let new = try Self.state(of: pair, certificateFile, keyFile, now: now)
            state.withLock { $0 = new }
            return true
        } catch {
            guard pair != rejected else { throw error }
            state.withLock { $0.rejected = pair }
            return false
        }
    }

    private static func read(_ certificateFile: String, _ keyFile: String) throws(CertificateFileError) -> Pair {
        Pair(
            certificate: try CertificateFile.bytes(of: certificateFile, as: .certificate), key: try CertificateFile.bytes(of: keyFile, as: .key))
    }

    private static func state(
        of pair: Pair, _ certificateFile: String, _ keyFile: String, now: Int64
    ) throws(CertificateFileError) -> State {
        let chain = try CertificateFile.certificates(in: pair.certificate, of: certificateFile, as: .certificate)
        guard chain.allSatisfy({ Int64($0.notValidBefore) <= now }) else {
            throw CertificateFileError(file: .certificate, path: certificateFile, problem: .notYetValid)
        }
        let expiresAt = chain.map { Int64($0.notValidAfter) }.min() ?? 0
        guard expiresAt > now else { throw CertificateFileError(file: .certificate, path: certificateFile, problem: .expired) }
        guard let key = try? NIOSSLPrivateKey(bytes: pair.key, format: .pem) else {
            throw CertificateFileError(file: .key, path: keyFile, problem: .notAKey)
        }
        do {
            let context = try NIOSSLContext(configuration: TransportSecurity.serverConfiguration(chain: chain, key: key))
            return State(pair: pair, context: context, expiresAt: expiresAt, rejected: nil)
        } catch {
            // Both were read: what is left to go wrong is that they do not belong together.
            throw CertificateFileError(file: .key, path: keyFile, problem: .keyOfAnother)
        }
    }
}
