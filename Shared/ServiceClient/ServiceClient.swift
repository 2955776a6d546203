package import RequestSigning
package import Tracing

/// Calls one service: every try signed anew, within one deadline, repeated only where that is safe.
package struct ServiceClient: Sendable {
    /// The callee's name, as in the keys file.
    package let callee: String
    package let address: ServiceAddress
    private let connections: ServiceConnections
    private let signer: RequestSigner
    private let retries: RetryPolicy
    private let tracer: (any Tracer)?
    private let unixMilliseconds: @Sendable () -> Int64

    /// - Parameters:
    ///   - signer: Made for this callee.
    ///   - tracer: Makes a span of every try; nil where no spans are made.
    ///   - unixMilliseconds: Milliseconds since the Unix epoch, now.
    package init(
        callee: String, address: ServiceAddress, connections: ServiceConnections, signer: RequestSigner, retries: RetryPolicy = RetryPolicy(),
        tracer: (any Tracer)? = nil, unixMilliseconds: @escaping @Sendable () -> Int64
    ) {
        self.callee = callee
        self.address = address
        self.connections = connections
        self.signer = signer
        self.retries = retries
        self.tracer = tracer
        self.unixMilliseconds = unixMilliseconds
    }

    /// Sends a request and returns the answer, whatever its status, after as many tries as are allowed and fit before the deadline.
    ///
    /// - Throws: ``ServiceClientError``; its `mayHaveTakenEffect` says whether a try may have reached the callee.
    package func send(_ request: ServiceRequest) async throws(ServiceClientError) -> ServiceResponse {
        let deadline = unixMilliseconds() + Self.milliseconds(ContinuousClock.now.duration(to: request.deadline))
        var fields = request.fields(deadlineMilliseconds: deadline)
        var tries = 0
        var mayHaveArrived = false
        while true {
            let remaining = ContinuousClock.now.duration(to: request.deadline)
            guard remaining > .zero else { throw failure(.deadlineExceeded, tries: tries, mayHaveArrived) }
            let span = tracer.map { TrySpan(of: request, to: self, earlierTries: tries, tracer: $0) }
            span?.inject(into: &fields)
            var signed = SignableRequest(method: request.method, authority: address.authority, target: request.target, headerFields: fields)
            do {
                try signer.sign(&signed, body: request.body, created: unixMilliseconds() / 1_000)
            } catch {
                span?.end(unsignable: error)
                throw failure(.unsignable, tries: tries, mayHaveArrived, reason: error.description)
            }
            let outcome = await connections.exchange(
                address, method: request.method, target: request.target, fields: signed.headerFields, body: request.body,
                timeout: min(retries.tryTimeout, remaining))
            span?.end(outcome)
            tries += 1
            mayHaveArrived = mayHaveArrived || outcome.mayHaveArrived
            guard let pause = retries.pause(after: outcome, of: request, tries: tries),
                ContinuousClock.now.advanced(by: pause) < request.deadline
            else { return try answer(outcome, isLate: ContinuousClock.now >= request.deadline, tries: tries, mayHaveArrived) }
            do {
                try await ContinuousClock().sleep(for: pause)
            } catch {
                throw failure(.cancelled, tries: tries, mayHaveArrived)
            }
        }
    }

    private func answer(
        _ outcome: TryOutcome, isLate: Bool, tries: Int, _ mayHaveArrived: Bool
    ) throws(ServiceClientError) -> ServiceResponse {
        switch outcome {
        case .answered(let response): return response
        case .unreachable(let reason): throw failure(.unreachable, tries: tries, mayHaveArrived, reason: reason)
        case .lost(let reason): throw failure(.connectionLost, tries: tries, mayHaveArrived, reason: reason)
        case .timedOut: throw failure(isLate ? .deadlineExceeded : .timedOut, tries: tries, mayHaveArrived)
        case .tooLarge: throw failure(.responseTooLarge, tries: tries, mayHaveArrived)
        case .cancelled: throw failure(.cancelled, tries: tries, mayHaveArrived)
        }
    }

    private func failure(_ kind: ServiceClientError.Kind, tries: Int, _ mayHaveArrived: Bool, reason: String? = nil) -> ServiceClientError {
        ServiceClientError(kind: kind, callee: callee, address: address, tries: tries, mayHaveTakenEffect: mayHaveArrived, reason: reason)
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
