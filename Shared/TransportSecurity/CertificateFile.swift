import FoundationEssentials
import NIOSSL

/// Reads the files that this module keeps; see ``CertificateFileError``.
enum CertificateFile {
    /// A bundle of some hundred authorities.
    private static let maximumBytes = 1_048_576

    static func bytes(of path: String, as file: CertificateFileError.File) throws(CertificateFileError) -> [UInt8] {
        guard let content = FileManager.default.contents(atPath: path) else {
            throw CertificateFileError(file: file, path: path, problem: .unreadable)
        }
        guard content.count <= maximumBytes else { throw CertificateFileError(file: file, path: path, problem: .tooLarge) }
        return Array(content)
    }

    /// At least one certificate.
    static func certificates(
        in bytes: [UInt8], of path: String, as file: CertificateFileError.File
    ) throws(CertificateFileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw CertificateFileError(file: file, path: path, problem: .notCertificates)
        }
        return certificates
    }
}
