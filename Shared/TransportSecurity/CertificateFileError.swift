/// Why a file of certificates or of a key cannot be used; it names a path and a rule, never content.
package struct CertificateFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Which of the files it is.
    package enum File: String, Sendable, CaseIterable {
        case certificate
        case key
        case authorities
    }

    package enum Problem: String, Sendable, CaseIterable {
        case unreadable = "cannot be read"
        case tooLarge = "is larger than any of its kind"
        case notCertificates = "holds no certificates in PEM"
        case notAKey = "holds no private key in PEM without a password"
        case keyOfAnother = "is not the key of the certificate"
        case notYetValid = "holds a certificate that is not valid yet"
        case expired = "holds a certificate that has expired"
    }

    package let file: File
    package let path: String
    package let problem: Problem

    package init(file: File, path: String, problem: Problem) {
        self.file = file
        self.path = path
        self.problem = problem
    }

    /// One line for an operator, safe to log.
    package var description: String { "\(path) \(problem.rawValue)" }
}
