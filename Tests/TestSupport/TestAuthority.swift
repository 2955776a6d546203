/// A certificate authority of a test's own, in a folder that is gone with it.
package final class TestAuthority: Sendable {
    /// A certificate and its key, as files.
    package struct Issued: Sendable {
        package let certificate: String
        package let key: String
    }

    private let home: TemporaryFolder
    package var folder: String { home.path }
    /// The authority's own certificate.
    package var certificate: String { "\(folder)/ca.crt" }

    package init() async throws {
        home = try TemporaryFolder("authority")
        try await run(
            """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=florin-test
            """)
    }

    /// A certificate of the authority's.
    ///
    /// - Parameters:
    ///   - name: Of the files, and the subject: what tells one certificate from another.
    ///   - hosts: As in `DNS:localhost,IP:127.0.0.1`.
    package func issue(_ name: String, hosts: String, days: Int = 2) async throws -> Issued {
        try await run(
            """
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name).key -out \(name).csr -subj "/CN=\(name)"
            printf 'subjectAltName=\(hosts)' > \(name).san
            openssl x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -out \(name).crt -days \(days) -extfile \(name).san
            chmod 600 \(name).key
            """)
        return Issued(certificate: "\(folder)/\(name).crt", key: "\(folder)/\(name).key")
    }

    private func run(_ script: String) async throws {
        try await Shell.run(["/bin/sh", "-c", "set -e; cd \"\(folder)\"\n\(script)"])
    }
}
