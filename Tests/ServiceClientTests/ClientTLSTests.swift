import Foundation
import RequestSigning
import ServiceClient
import TestSupport
import Testing
import TransportSecurity

@Suite("Calls by https")
struct ClientTLSTests {
    private let authority: TestAuthority
    private let fixture: ClientFixture

    init() async throws {
        authority = try await TestAuthority()
        fixture = try ClientFixture()
    }

    private func certificate(_ hosts: String) async throws -> ServerCertificate {
        let issued = try await authority.issue("server", hosts: hosts)
        return try ServerCertificate(certificateFile: issued.certificate, keyFile: issued.key, now: Int64(Date().timeIntervalSince1970))
    }

    /// Lends connections and closes them.
    private func withConnections(_ authorities: FleetAuthorities?, _ body: (ServiceConnections) async throws -> Void) async throws {
        // A handshake on a busy machine.
        let connections = ServiceConnections(connectTimeout: .seconds(20), authorities: authorities)
        do {
            try await body(connections)
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
    }

    /// Expects that a call does not come about, and that the callee has seen nothing of it.
    private func expectUnreachable(
        _ client: ServiceClient, _ server: ScriptedServer, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do {
            let answer = try await client.send(ClientFixture.post())
            Issue.record("answered \(answer.status)", sourceLocation: sourceLocation)
        } catch {
            #expect(error.kind == .unreachable && !error.mayHaveTakenEffect, "\(error)", sourceLocation: sourceLocation)
            #expect(error.description.contains(reason), "\(error)", sourceLocation: sourceLocation)
        }
        #expect(server.received.isEmpty, sourceLocation: sourceLocation)
    }

    @Test("a server that the authority vouches for is called by its name and by its address", arguments: ["localhost", "127.0.0.1"])
    func trusted(host: String) async throws {
        let certificate = try await certificate("DNS:localhost,IP:127.0.0.1")
        try await ScriptedServer.running([.answer(201), .answer(200)], certificate: certificate) { server, port in
            try await withConnections(try FleetAuthorities(file: authority.certificate)) { connections in
                let client = try fixture.client(port: port, origin: "https://\(host)", connections: connections)
                #expect(try await client.send(ClientFixture.post()).status == 201)
                #expect(try await client.send(ClientFixture.get()).status == 200)
                for request in server.received { try await fixture.check(request) }
            }
        }
    }

    @Test("a server that another authority vouches for gets no request")
    func wrongAuthority() async throws {
        let stranger = try await TestAuthority()
        try await ScriptedServer.running([.answer(200)], certificate: certificate("IP:127.0.0.1")) { server, port in
            try await withConnections(try FleetAuthorities(file: stranger.certificate)) { connections in
                let client = try fixture.client(port: port, origin: "https://127.0.0.1", connections: connections)
                await expectUnreachable(client, server, "nobody trusted vouches for the certificate")
            }
            try await withConnections(nil) { connections in
                let client = try fixture.client(port: port, origin: "https://127.0.0.1", connections: connections)
                await expectUnreachable(client, server, "nobody trusted vouches for the certificate")
            }
        }
    }

    @Test(
        "a server with another host's certificate gets no request",
        arguments: [("DNS:ops-risk,IP:127.0.0.2", "127.0.0.1"), ("DNS:ops-risk", "localhost")])
    func wrongName(hosts: String, called: String) async throws {
        try await ScriptedServer.running([.answer(200)], certificate: certificate(hosts)) { server, port in
            try await withConnections(try FleetAuthorities(file: authority.certificate)) { connections in
                let client = try fixture.client(port: port, origin: "https://\(called)", connections: connections)
                await expectUnreachable(client, server, "the certificate is another host's")
            }
        }
    }

    @Test("a server that does not encrypt gets no request")
    func plainServer() async throws {
        try await ScriptedServer.running([.answer(200)]) { server, port in
            try await withConnections(try FleetAuthorities(file: authority.certificate)) { connections in
                let client = try fixture.client(port: port, origin: "https://127.0.0.1", connections: connections)
                await expectUnreachable(client, server, "the TLS handshake failed")
            }
        }
    }

    @Test("replaced authorities count from the next request on")
    func replacedAuthorities() async throws {
        let stranger = try await TestAuthority()
        let file = stranger.folder + "/trusted.crt"
        func trust(_ authority: TestAuthority) throws {
            try Data(contentsOf: URL(fileURLWithPath: authority.certificate)).write(to: URL(fileURLWithPath: file), options: .atomic)
        }
        try trust(authority)
        let authorities = try FleetAuthorities(file: file)
        try await ScriptedServer.running([.answer(200), .answer(200)], certificate: certificate("IP:127.0.0.1")) { server, port in
            try await withConnections(authorities) { connections in
                let client = try fixture.client(port: port, origin: "https://127.0.0.1", connections: connections)
                #expect(try await client.send(ClientFixture.get()).status == 200)
                try trust(stranger)
                #expect(try authorities.reloadIfChanged())
                await #expect(throws: ServiceClientError.self) { try await client.send(ClientFixture.get()) }
                try trust(authority)
                #expect(try authorities.reloadIfChanged())
                #expect(try await client.send(ClientFixture.get()).status == 200)
                #expect(server.received.count == 2)
            }
        }
    }
}
