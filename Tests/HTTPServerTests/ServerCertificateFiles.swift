import Observability
import TestSupport
import TransportSecurity

enum ServerCertificateFiles {
    static func read(_ issued: TestAuthority.Issued) throws -> ServerCertificate {
        try ServerCertificate(
            certificateFile: issued.certificate, keyFile: issued.key, now: WallClock.microsecondsSinceUnixEpoch() / 1_000_000)
    }
}
