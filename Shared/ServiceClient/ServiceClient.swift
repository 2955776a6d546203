import HTTPTypes
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
    private let admission: CalleeAdmission?
    private let tracer: (any Tracer)?
    private let unixMilliseconds: @Sendable () -> Int64

    /// - Parameters:
    ///   - signer: Made for this callee.
    ///   - admission: Shared by all calls to this callee; nil for a tool, which has none beside its own.
    ///   - tracer: Makes a span of every try; nil where no spans are made.
    ///   - unixMilliseconds: Milliseconds since the Unix epoch, now.
    init(
        callee: String, address: ServiceAddress, connections: ServiceConnections, signer: RequestSigner, retries: RetryPolicy,
        admission: CalleeAdmission?, tracer: (any Tracer)?, unixMilliseconds: @escaping @Sendable () -> Int64
    ) {
        self.callee = callee
        self.address = address
        self.connections = connections
        self.signer = signer
        self.retries = retries
        self.admission = admission
        self.tracer = tracer
        self.unixMilliseconds = unixMilliseconds
    }

    /// A client without bounds of its own, for a tool or a test; a service calls by ``Outbound``.
    package init(
        callee: String, address: ServiceAddress, connections: ServiceConnections, signer: RequestSigner, retries: RetryPolicy = RetryPolicy(),
        tracer: (any Tracer)? = nil, unixMilliseconds: @escaping @Sendable () -> Int64
    ) {
        self.init(
            callee: callee, address: address, connections: connections, signer: signer, retries: retries, admission: nil, tracer: tracer,
            unixMilliseconds: unixMilliseconds)
    }

    /// Sends a request and returns the answer, whatever its status, after as many tries as are allowed and fit before the deadline.
    ///
    /// - Throws: ``ServiceClientError``; its `mayHaveTakenEffect` says whether a try may have reached the callee.
    package func send(_ request: ServiceRequest) async throws(ServiceClientError) -> ServiceResponse {
        guard let admission else { return try await call(request) }
        let response = try await admission.withCall(until: request.deadline) { () async throws(ServiceClientError) in try await call(request) }
        guard let response else { throw failure(Task.isCancelled ? .cancelled : .tooManyCalls, Progress()) }
        return response
    }

    /// How far a call has come.
    private struct Progress {
        var tries = 0
        var mayHaveArrived = false
    }

    private func call(_ request: ServiceRequest) async throws(ServiceClientError) -> ServiceResponse {
        let deadline = unixMilliseconds() + Self.milliseconds(ContinuousClock.now.duration(to: request.deadline))
        let fields = request.fields(deadlineMilliseconds: deadline)
        var progress = Progress()
        guard var outcome = try await attempt(request, fields, &progress) else { throw failure(.circuitOpen, progress) }
        while let pause = retries.pause(after: outcome, of: request, tries: progress.tries),
            ContinuousClock.now.advanced(by: pause) < request.deadline,
            // When there is no room for a retry, or the circuit has opened, what the first tries brought stands.
            let next = try await retry(request, fields, &progress, after: pause)
        {
            // So it does when a retry reaches nobody: what the callee itself said tells more (GW-19).
            if case .answered = outcome, case .unreachable = next { break }
            outcome = next
        }
        return try answer(outcome, isLate: ContinuousClock.now >= request.deadline, progress)
    }

    private func retry(
        _ request: ServiceRequest, _ fields: HTTPFields, _ progress: inout Progress, after pause: Duration
    ) async throws(ServiceClientError) -> TryOutcome? {
        guard let admission else { return try await attempt(request, fields, &progress, after: pause) }
        return try await admission.withRetry { () async throws(ServiceClientError) in
            try await attempt(request, fields, &progress, after: pause)
        }
    }

    private func attempt(
        _ request: ServiceRequest, _ fields: HTTPFields, _ progress: inout Progress, after pause: Duration = .zero
    ) async throws(ServiceClientError) -> TryOutcome? {
        if pause > .zero {
            do {
                try await ContinuousClock().sleep(for: pause)
            } catch {
                throw failure(.cancelled, progress)
            }
            guard ContinuousClock.now < request.deadline else { return nil }
        }
        let outcome: TryOutcome?
        if let admission {
            outcome = try await admission.withTry { () async throws(ServiceClientError) in try await exchange(request, fields, progress) }
        } else {
            outcome = try await exchange(request, fields, progress)
        }
        guard let outcome else { return nil }
        progress.tries += 1
        progress.mayHaveArrived = progress.mayHaveArrived || outcome.mayHaveArrived
        return outcome
    }

    /// One try: signed anew, within what is left of the deadline.
    private func exchange(
        _ request: ServiceRequest, _ fields: HTTPFields, _ progress: Progress
    ) async throws(ServiceClientError) -> TryOutcome {
        guard !Task.isCancelled else { throw failure(.cancelled, progress) }
        let remaining = ContinuousClock.now.duration(to: request.deadline)
        guard remaining > .zero else { throw failure(.deadlineExceeded, progress) }
        var fields = fields
        let span = tracer.map { TrySpan(of: request, to: self, earlierTries: progress.tries, tracer: $0) }
        span?.inject(into: &fields)
        var signed = SignableRequest(method: request.method, authority: address.authority, target: request.target, headerFields: fields)
        do {
            try signer.sign(&signed, body: request.body, created: unixMilliseconds() / 1_000)
        } catch {
            span?.end(unsignable: error)
            throw failure(.unsignable, progress, reason: error.description)
        }
        var outcome = await connections.exchange(
            address, method: request.method, target: request.target, fields: signed.headerFields, body: request.body,
            timeout: min(retries.tryTimeout, remaining))
        if case .timedOut = outcome, remaining < retries.tryTimeout / 2 { outcome = .hurried }
        span?.end(outcome)
        return outcome
    }

    private func answer(_ outcome: TryOutcome, isLate: Bool, _ progress: Progress) throws(ServiceClientError) -> ServiceResponse {
        switch outcome {
        case .answered(let response): return response
        // An earlier try had reached the callee.
        case .unreachable(let reason): throw failure(progress.mayHaveArrived ? .connectionLost : .unreachable, progress, reason: reason)
        case .lost(let reason), .stale(let reason): throw failure(.connectionLost, progress, reason: reason)
        case .timedOut, .hurried: throw failure(isLate ? .deadlineExceeded : .timedOut, progress)
        case .tooLarge: throw failure(.responseTooLarge, progress)
        case .cancelled: throw failure(.cancelled, progress)
        }
    }

    private func failure(_ kind: ServiceClientError.Kind, _ progress: Progress, reason: String? = nil) -> ServiceClientError {
        ServiceClientError(
            kind: kind, callee: callee, address: address, tries: progress.tries, mayHaveTakenEffect: progress.mayHaveArrived, reason: reason)
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
