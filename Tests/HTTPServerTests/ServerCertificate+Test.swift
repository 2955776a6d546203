import Observability
import TestSupport
import TransportSecurity

extension ServerCertificate {
    /// One for the loopback address.
    static func ofTest() async throws -> ServerCertificate {
        let authority = try await TestAuthority()
        let issued = try await authority.issue("toy", hosts: "IP:127.0.0.1")
        // The files are gone with the authority.
        return try withExtendedLifetime(authority) {
            try ServerCertificate(
                certificateFile: issued.certificate, keyFile: issued.key, now: WallClock.microsecondsSinceUnixEpoch() / 1_000_000)
        }
    }
}
