import Observability
import RequestSigning
package import ServiceIdentity
package import ServiceRuntime

/// The calls of a process to one other service: signed as the process, within bounds that protect both sides.
///
/// Made once per callee by the composition. It has nothing to run: the keys, certificates and connections are the ``ServiceIdentity``'s.
package struct Outbound: Sendable {
    private let client: ServiceClient
    private let admission: CalleeAdmission
    private let metrics: OutboundMetrics
    private let timeout: Duration

    /// - Parameter callee: The executable's name, as in the keys file.
    /// - Throws: ``InvalidConfiguration`` when the settings don't fit the identity: no key for the callee, or an address without TLS where the
    ///   services encrypt themselves.
    package init(
        callee: String, _ settings: OutboundSettings, identity: ServiceIdentity, context: ProcessContext
    ) throws(InvalidConfiguration) {
        guard identity.tls == nil || settings.address.scheme == "https" else {
            throw InvalidConfiguration(key: settings.addressKey, "is not accepted: with INTERNAL_TLS=own it must begin with https://")
        }
        try identity.requireKey(for: callee)
        metrics = OutboundMetrics(context.metrics, callee: callee)
        admission = CalleeAdmission(limit: settings.concurrency)
        OutboundMetrics.observe(admission, context.metrics, callee: callee)
        client = ServiceClient(
            callee: callee, address: settings.address,
            connections: ServiceConnections(client: identity.client, authorities: identity.tls?.authorities),
            signer: RequestSigner(keys: identity.keys, callee: callee), retries: RetryPolicy(tryTimeout: settings.tryTimeout),
            admission: admission, tracer: context.tracer, unixMilliseconds: { WallClock.microsecondsSinceUnixEpoch() / 1_000 })
        timeout = settings.timeout
    }

    /// Sends a request and returns the answer, whatever its status; at the latest when the request's deadline or the callee's time-out passes.
    ///
    /// - Throws: ``ServiceClientError``; its `mayHaveTakenEffect` says whether a try may have reached the callee.
    package func send(_ request: ServiceRequest) async throws(ServiceClientError) -> ServiceResponse {
        var request = request
        request.deadline = min(request.deadline, .now + timeout)
        let result: Result<ServiceResponse, ServiceClientError>
        do {
            result = .success(try await client.send(request))
        } catch {
            result = .failure(error)
        }
        metrics.ended(result)
        return try result.get()
    }

    /// Degraded while the circuit is open; never critical, for what the callee is needed for is the route's business.
    package var healthCheck: HealthCheck {
        HealthCheck(name: client.callee, critical: false) { [admission] in
            if admission.statistics.circuit == .open { throw HealthCheck.Degraded() }
        }
    }
}
