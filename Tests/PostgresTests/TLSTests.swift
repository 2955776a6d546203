import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct TLSTests {
    @Test func `a certificate is verified: the right authority is accepted, a wrong one and plain text are refused`() async throws {
        let authority = try await Certificates.make()
        let stranger = try await Certificates.make()
        defer {
            authority.remove()
            stranger.remove()
        }
        let server = try await PostgresServer.startSeparate(settings: [
            "ssl": "on", "ssl_cert_file": authority.serverCertificate, "ssl_key_file": authority.serverKey,
        ])
        func connect(_ parameters: String) async throws -> Bool {
            let url = server.url(database: "postgres", parameters: parameters)
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
            return try await connection.withSession { session in
                let rows = try session.query("SELECT 1")
                #expect(rows.count == 1)
                return session.isEncrypted
            }
        }
        #expect(try await connect("?sslmode=verify-ca&sslrootcert=\(authority.root)"))
        #expect(try await connect("?sslmode=verify-full&sslrootcert=\(authority.root)"))
        #expect(try await connect("?sslmode=disable") == false)
        let foreign = await postgresFailure { _ = try await connect("?sslmode=verify-ca&sslrootcert=\(stranger.root)") }
        #expect(foreign?.kind == .connectFailed)
        let plain = try await PostgresServer.shared().url(database: "postgres", parameters: "?sslmode=require")
        let refused = await postgresFailure { _ = try await PostgresConnection.connect(PostgresConfiguration(url: plain)) }
        #expect(refused?.kind == .connectFailed)
        // Larger than one TLS record in both directions.
        let payload = String(repeating: "y", count: 3_000_000)
        let url = server.url(database: "postgres", parameters: "?sslmode=verify-ca&sslrootcert=\(authority.root)")
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        let length = try await connection.withSession { session in
            try session.pipeline(["SELECT \(payload)", "SELECT \(payload)"])[1][0].decode(String.self).utf8.count
        }
        #expect(length == 3_000_000)
        try await server.stop()
    }
}

/// A certificate authority and a server's certificate signed by it, in a folder that the server may read.
private struct Certificates {
    let folder: String
    var root: String { "\(folder)/root.crt" }
    var serverCertificate: String { "\(folder)/server.crt" }
    var serverKey: String { "\(folder)/server.key" }

    static func make() async throws -> Certificates {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("florin-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = """
            set -e; cd "\(folder)"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout root.key -out root.crt -days 2 -subj /CN=florin-test
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1
            printf 'subjectAltName=IP:127.0.0.1' > san
            openssl x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -out server.crt -days 2 -extfile san
            chmod 600 server.key
            if [ "$(id -u)" = 0 ]; then chown -R postgres .; fi
            """
        try await Shell.run(["/bin/sh", "-c", script])
        return Certificates(folder: folder)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}
