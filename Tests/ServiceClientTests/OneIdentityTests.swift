import AccessTokens
import Foundation
import HTTPService
import NIOHTTP1
import Observability
import RequestSigning
import ServiceClient
import ServiceIdentity
import ServiceRuntime
import Synchronization
import TestSupport
import Testing
import TransportSecurity

@Suite("One identity for calling and being called", .timeLimit(.minutes(3)))
struct OneIdentityTests {
    private let authority: TestAuthority
    private let folder: TemporaryFolder
    private let credentials: CallerCredentials
    private let log: ServiceLog
    private let metrics = PrometheusRegistry()

    init() async throws {
        authority = try await TestAuthority()
        folder = try TemporaryFolder("one-identity")
        credentials = try CallerCredentials(
            callee: RelayingService.name,
            pairs: [.init(caller: "api-gateway", callee: "mobile-bff"), .init(caller: "mobile-bff", callee: "wallet-ledger")], folder: folder.path)
        log = try ServiceLog(of: RelayingService.name)
    }

    private func environment(port: Int, ledger: Int, tls: TestAuthority.Issued) -> [String: String] {
        credentials.environment(port: port).merging([
            "INTERNAL_TLS": "own", "INTERNAL_TLS_CERTIFICATE_FILE": tls.certificate, "INTERNAL_TLS_KEY_FILE": tls.key,
            "INTERNAL_TLS_CA_FILE": authority.certificate, "HTTP_CONNECT_TIMEOUT": "10s", "LEDGER_URL": "https://127.0.0.1:\(ledger)",
            "LEDGER_TIMEOUT": "20s", "LEDGER_TRY_TIMEOUT": "20s",
        ]) { $1 }
        .filter { RelayingService.Settings.allDeclared.map(\.key).contains($0.key) }
    }

    /// The gateway, which calls the service.
    private func status(_ connections: ServiceConnections, port: Int, keys: SigningKeyStore) async throws -> Int {
        let gateway = ServiceClient(
            callee: RelayingService.name, address: try ServiceAddress("https://127.0.0.1:\(port)"), connections: connections,
            signer: RequestSigner(keys: keys, callee: RelayingService.name),
            unixMilliseconds: { WallClock.microsecondsSinceUnixEpoch() / 1_000 })
        let token = try await credentials.issuer.token(
            for: .user("usr_1"), scopes: ["wallet"], now: WallClock.microsecondsSinceUnixEpoch() / 1_000_000)
        let request = ServiceRequest(method: "GET", target: "/v1/relay", deadline: .now + .seconds(40), authorization: "Bearer \(token)")
        return try await gateway.send(request).status
    }

    /// The key by which a request was signed.
    private func keyID(_ request: ScriptedServer.Received) -> String? {
        request.headers["signature-input"].first?.split(separator: ";").first { $0.hasPrefix("keyid=") }.map { String($0.dropFirst(7).dropLast()) }
    }

    @Test("keys and certificates are watched once, one HTTP client serves both directions, and a replaced file counts in both")
    func oneIdentity() async throws {
        let tls = try await authority.issue("service", hosts: "IP:127.0.0.1")
        let certificate = try ServerCertificate(
            certificateFile: tls.certificate, keyFile: tls.key, now: WallClock.microsecondsSinceUnixEpoch() / 1_000_000)
        let connections = ServiceConnections(connectTimeout: .seconds(20), authorities: try FleetAuthorities(file: authority.certificate))
        try await ScriptedServer.running([.answer(404), .answer(404)], certificate: certificate) { ledger, ledgerPort in
            let port = try FreePort.any()
            try await ServedProcess.start(
                RelayingService.self, environment: environment(port: port, ledger: ledgerPort, tls: tls), log: log, tracer: nil, metrics: metrics)

            let services = RelayingService.composed.withLock { $0 }
            #expect(services.count { $0 is SigningKeyReloader } == 1)
            #expect(services.count { $0 is CertificateReloader } == 1)
            #expect(services.count { "\($0)" == "http client" } == 1)
            #expect(metrics.render().contains(#"outbound_calls_total{callee="wallet-ledger",outcome="circuit_open"} 0"#))
            #expect(metrics.render().contains(#"outbound_circuit_state{callee="wallet-ledger"} 0"#))
            #expect(metrics.render().contains(#"outbound_retries_refused_total{callee="wallet-ledger"} 0"#))

            let keys = SigningKeyFolder(path: "\(folder.path)/keys")
            let gateway = try SigningKeyStore(path: keys.path(of: "api-gateway"))
            #expect(try await status(connections, port: port, keys: gateway) == 200)
            let first = try #require(ledger.received.first)
            #expect(first.headers["authorization"].first?.hasPrefix("Bearer ") == true)
            #expect(metrics.render().contains(#"outbound_calls_total{callee="wallet-ledger",outcome="client_error"} 1"#))

            // New keys for both pairs in the one file of the service.
            var random = SystemRandomNumberGenerator()
            let now = WallClock.microsecondsSinceUnixEpoch() / 1_000_000
            let new = try SigningKeyGenerator.generate(
                pairs: [.init(caller: "api-gateway", callee: "mobile-bff"), .init(caller: "mobile-bff", callee: "wallet-ledger")], now: now,
                using: &random)
            for keysOfService in new { try keys.replace(keysOfService) }
            let other = try await authority.issue("other", hosts: "IP:127.0.0.1", days: 9)
            for (old, new) in [(tls.key, other.key), (tls.certificate, other.certificate)] {
                try Data(contentsOf: URL(fileURLWithPath: new)).write(to: URL(fileURLWithPath: old), options: .atomic)
            }
            #expect(try await eventually { log.text.contains("signing keys were replaced") && log.text.contains("the TLS certificate was replaced") })
            #expect(try gateway.reloadIfChanged())
            #expect(try await status(connections, port: port, keys: gateway) == 200)
            let ownKeys = try SigningKeyStore(path: keys.path(of: "mobile-bff")).current
            #expect(keyID(ledger.received[1]) == ownKeys.outbound.first?.key.keyID && keyID(first) != keyID(ledger.received[1]))
            #expect(log.text.components(separatedBy: "signing keys were replaced").count == 2)
            #expect(log.text.components(separatedBy: "the TLS certificate was replaced").count == 2)
        }
        await connections.close()
    }
}
