package import AsyncHTTPClient
internal import Concurrency
internal import NIOCore
internal import NIOHTTP1
internal import ServiceRuntime
package import TransportSecurity

/// Reads the key set of an issuer from its address.
package struct KeySetFetch: Sendable {
    private static let maximumBytes = 1 << 20

    private let address: String
    private let client: HTTPClient
    private let authorities: FleetAuthorities?
    private let limit: Duration

    /// - Parameters:
    ///   - authorities: Vouch for an https address; without any the system's do.
    ///   - limit: For all of it, from the first packet to the last byte of the body.
    package init(_ address: String, client: HTTPClient, authorities: FleetAuthorities?, limit: Duration = .seconds(5)) {
        self.address = address
        self.client = client
        self.authorities = authorities
        self.limit = limit
    }

    /// - Throws: ``UnreachableDependency``, or what the client throws.
    package func callAsFunction() async throws -> [UInt8] {
        let answer = await TimeLimit.within(limit) { await outcome() }
        guard let answer else { throw UnreachableDependency("the key set", reason: "no answer in time") }
        return try answer.get()
    }

    private func outcome() async -> Result<[UInt8], any Error> {
        do {
            var request = HTTPClientRequest(url: address)
            request.tlsConfiguration = authorities?.clientConfiguration
            let response = try await client.execute(request, deadline: .distantFuture)
            guard response.status == .ok else { throw UnreachableDependency("the key set", reason: "status \(response.status.code)") }
            return .success(Array(try await response.body.collect(upTo: Self.maximumBytes).readableBytesView))
        } catch {
            return .failure(error)
        }
    }
}
