import Foundation
import RequestSigning
import ServiceClient
import TestSupport
import Testing

@Suite("TLS between services, by the ledger itself")
struct LedgerTLSTests {
    @Test("a certificate replaced under traffic fails no request; a bad one keeps the good one, and plain HTTP is turned away")
    func underTraffic() async throws {
        let authority = try await TestAuthority()
        let second = try await authority.issue("second", hosts: "IP:127.0.0.1", days: 3)
        let third = try await authority.issue("third", hosts: "IP:127.0.0.1")
        try await LedgerFleet.with(replicas: 1, authority: authority) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 1_000_000)
            let token = try await fleet.userToken()
            let callers = try (0..<3).map { _ in
                try SteadyCaller("mobile-bff", fleet, fleet.address(0)) {
                    LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: UUID().uuidString, token: token)
                }
            }
            func replace(_ file: String, with other: String) throws {
                let path = URL(fileURLWithPath: "\(fleet.folder)/\(file)")
                try Data(contentsOf: URL(fileURLWithPath: other)).write(to: path, options: .atomic)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in callers { group.addTask { await caller.run() } }
                #expect(try await eventually(within: .seconds(30)) { callers.allSatisfy { $0.answered > 20 } })
                try await Self.expectShown("first", authority, fleet.ports[0])
                let expiry = try await Self.expiry(fleet)

                try replace("tls.crt", with: second.certificate)
                try replace("tls.key", with: second.key)
                #expect(try await eventually(within: .seconds(30)) { try await Self.expiry(fleet) > expiry + 80_000 })
                try await Self.expectShown("second", authority, fleet.ports[0])

                try replace("tls.key", with: third.key)
                #expect(
                    try await eventually(within: .seconds(30)) {
                        let metrics = try await fleet.metrics(0)
                        return !metrics.contains(#"tls_reload_failures_total{file="certificate"} 0"#)
                    })
                try await Self.expectShown("second", authority, fleet.ports[0])
                await #expect(throws: Shell.Failure.self) {
                    try await Shell.run(["/bin/bash", "-c", Self.plainRequest(fleet.ports[0])])
                }

                let answered = callers.map(\.answered)
                #expect(try await eventually(within: .seconds(30)) { zip(callers, answered).allSatisfy { $0.answered > $1 + 20 } })
                group.cancelAll()
            }
            for caller in callers { #expect(caller.refusals.isEmpty, "\(caller.refusals.prefix(3))") }
            #expect(fleet.replicas[0].end(SIGTERM) == 0)
        }
    }

    @Test("the issuer's keys are fetched from a server that the fleet's authorities vouch for, and from no other")
    func keySet() async throws {
        let (authority, stranger) = (try await TestAuthority(), try await TestAuthority())
        let issued = try await authority.issue("identity", hosts: "IP:127.0.0.1")
        try await LedgerFleet.with(replicas: 1, authority: authority) { fleet in
            let port = try FreePort.any()
            let identity = LedgerProcess("/bin/bash", environment: [:], adminPort: 0)
            let server = "openssl s_server -accept 127.0.0.1:\(port) -tls1_3 -WWW -quiet -cert \(issued.certificate) -key \(issued.key)"
            try identity.start(["-c", "cd \(fleet.folder) && exec \(server)"])
            defer { identity.end(SIGKILL) }
            var environment = fleet.replicas[0].environment
            environment["TOKEN_JWKS"] = "https://127.0.0.1:\(port)/jwks.json"
            for (trusted, status) in [(authority, 404), (stranger, 503)] {
                environment["INTERNAL_TLS_CA_FILE"] = trusted.certificate
                let ledger = LedgerProcess(environment: environment, adminPort: fleet.replicas[0].adminPort)
                try ledger.start()
                try await fleet.ready(0)
                let request = ServiceRequest(
                    method: "GET", target: "/v1/wallets/wal_01jd6r3v8k9m2n4p5q6r7s8t9v", deadline: .now + .seconds(20),
                    authorization: "Bearer \(try await fleet.userToken())")
                #expect(try await fleet.client("mobile-bff", replica: 0).send(request).status == status)
                #expect(ledger.end(SIGTERM) == 0)
            }
        }
    }

    /// A new connection is shown the certificate of this name, and it is one that the authority vouches for.
    private static func expectShown(
        _ name: String, _ authority: TestAuthority, _ port: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let script = """
            set -o pipefail
            echo | openssl s_client -connect 127.0.0.1:\(port) -tls1_3 -CAfile \(authority.certificate) -verify_ip 127.0.0.1 -verify_return_error \
                | openssl x509 -noout -subject | grep -q 'CN = \(name)$'
            """
        await #expect(throws: Never.self, sourceLocation: sourceLocation) { try await Shell.run(["/bin/bash", "-c", script]) }
    }

    /// Ends with 0 when a request without TLS gets an answer of HTTP.
    private static func plainRequest(_ port: Int) -> String {
        """
        exec 3<>/dev/tcp/127.0.0.1/\(port)
        printf 'GET /v1/wallets/x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3
        timeout 20 cat <&3 | grep -q HTTP/1.1
        """
    }

    /// The certificate's end as the metrics have it, in seconds since the Unix epoch.
    private static func expiry(_ fleet: LedgerFleet) async throws -> Double {
        let line = try await fleet.metrics(0).split(separator: "\n").first { $0.hasPrefix("tls_certificate_expiry_seconds ") }
        return try #require(line.flatMap { Double($0.split(separator: " ")[1]) })
    }
}
