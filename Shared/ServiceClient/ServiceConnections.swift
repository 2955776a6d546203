import AsyncHTTPClient
package import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOSSL
package import ServiceIdentity
package import TransportSecurity

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The pool of connections to other services, shared by all clients of a process.
package final class ServiceConnections: Sendable {
    /// No answer of ours is larger.
    package static let maximumResponseBytes = 1_048_576

    private let client: FleetHTTPClient
    private let authorities: FleetAuthorities?

    /// - Parameters:
    ///   - client: The process's own; who made it closes it.
    ///   - authorities: Who vouches for servers at https addresses; nil leaves it to the system's authorities.
    package init(client: FleetHTTPClient, authorities: FleetAuthorities?) {
        self.client = client
        self.authorities = authorities
    }

    /// Connections of their own, for a tool or a test.
    package convenience init(
        connectTimeout: Duration = FleetHTTPClient.defaultConnectTimeout,
        connectionsPerHost: Int = FleetHTTPClient.connectionsPerHost, authorities: FleetAuthorities? = nil
    ) {
        self.init(client: FleetHTTPClient(connectTimeout: connectTimeout, connectionsPerHost: connectionsPerHost), authorities: authorities)
    }

    /// Closes all connections; calls under way fail.
    package func close() async {
        await client.close()
    }

    /// Sends a request once, as it is, and reads the whole answer.
    package func exchange(
        _ address: ServiceAddress, method: String, target: String, fields: HTTPFields, body: [UInt8]?, timeout: Duration
    ) async -> TryOutcome {
        var request = HTTPClientRequest(url: address.description + target)
        request.method = HTTPMethod(rawValue: method)
        // Taken anew for each request, so that replaced authorities count at once.
        if address.scheme == "https" { request.tlsConfiguration = authorities?.clientConfiguration }
        request.headers.add(name: "Host", value: address.authority)
        for field in fields { request.headers.add(name: field.name.rawName, value: field.value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let prepared = request
        return await withTaskGroup(of: TryOutcome.self) { group in
            group.addTask { await self.exchange(prepared) }
            group.addTask {
                do {
                    try await ContinuousClock().sleep(for: timeout)
                    return .timedOut
                } catch {
                    return .cancelled
                }
            }
            let first = await group.next() ?? .cancelled
            group.cancelAll()
            return Task.isCancelled ? .cancelled : first
        }
    }

    private func exchange(_ request: HTTPClientRequest) async -> TryOutcome {
        let response: HTTPClientResponse
        do {
            response = try await client.client.execute(request, deadline: .distantFuture)
        } catch is ReusedConnectionClosed {
            return .stale(reason: "the connection was closed as it was used again")
        } catch {
            return Self.outcome(of: error)
        }
        do {
            var fields = HTTPFields()
            for (name, value) in response.headers {
                guard let name = HTTPField.Name(name) else { continue }
                fields.append(HTTPField(name: name, value: value))
            }
            let body = try await response.body.collect(upTo: Self.maximumResponseBytes)
            return .answered(ServiceResponse(status: Int(response.status.code), headerFields: fields, body: Array(body.readableBytesView)))
        } catch {
            return Self.outcome(of: error)
        }
    }

    private static func outcome(of error: any Error) -> TryOutcome {
        switch error {
        case is NIOTooManyBytesError: .tooLarge
        case is CancellationError: .cancelled
        case let error as HTTPClientError: outcome(of: error)
        // In both cases the request was not sent: it waits for the end of the handshake.
        case NIOSSLError.handshakeFailed: .unreachable(reason: "the TLS handshake failed, or nobody trusted vouches for the certificate")
        case is NIOSSLExtraError: .unreachable(reason: "the certificate is another host's")
        case let error as IOError where refusals.contains(error.errnoCode): .unreachable(reason: error.description)
        case let error as IOError: .lost(reason: error.description)
        case is SocketAddressError: .unreachable(reason: "the host is unknown")
        default: isConnectionError(error) ? .unreachable(reason: "no connection") : .lost(reason: "\(type(of: error))")
        }
    }

    private static func outcome(of error: HTTPClientError) -> TryOutcome {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout: .unreachable(reason: "no connection in time")
        case .cancelled: .cancelled
        default: .lost(reason: error.shortDescription)
        }
    }

    /// What the system says when no connection comes about; anything else may follow the request.
    private static let refusals: Set<CInt> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL]

    /// NIO's collected reasons why none of a host's addresses could be connected to. It is known by name, for its module is that of
    /// the sockets, which this one has no other use for.
    private static func isConnectionError(_ error: any Error) -> Bool {
        String(describing: type(of: error)) == "NIOConnectionError"
    }
}
