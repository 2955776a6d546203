package import Contracts
import HTTPService
package import Idempotency
import Outbox
package import Postgres
import ServiceDatabase
import StrictJSON

/// Who resolves, and with which key.
package struct Resolver: Sendable {
    /// The calling service, by its signature.
    package let caller: String
    package let userID: String
    package let key: ScopedKey?
    package let requestID: String
    package let traceparent: String?
    package let deadline: ContinuousClock.Instant?

    package init(caller: String, userID: String, key: ScopedKey?, requestID: String, traceparent: String?, deadline: ContinuousClock.Instant? = nil) {
        self.caller = caller
        self.userID = userID
        self.key = key
        self.requestID = requestID
        self.traceparent = traceparent
        self.deadline = deadline
    }
}

package enum ResolveAnswer: Sendable, Hashable {
    case resolved(RiskAlertBody, isReplay: Bool)
    /// The alert has already been resolved differently.
    case refused(requestID: String, isReplay: Bool)
    case unknown
    case keyReused(pointer: String)
    /// Another request with this key or for this alert is still undecided.
    case inProgress
}

/// Resolves an alert, once and for all, and says so in an event.
///
/// Asked again in the same words, by whomever, the answer is the alert as it was resolved; in other words it is refused.
package struct ResolveAlert: Sendable {
    private let transaction: KeyedTransaction
    private let now: @Sendable () -> Timestamp
    private let alerts = AlertStore()
    private let keys = IdempotencyKeyStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        transaction = KeyedTransaction(pool: pool)
        self.now = now
    }

    /// - Throws: `PostgresError`.
    package func callAsFunction(_ id: AlertID, _ request: ResolveRiskAlertRequest, by resolver: Resolver) async throws -> ResolveAnswer {
        let canonical = CanonicalRequest.render(
            route: "POST /v1/risk/alerts/{id}/resolve",
            [
                ("id", .string(id.description)), ("resolution", .string(request.resolution.rawValue)),
                ("note", request.note.map { .string($0) }),
            ])
        return try await transaction.run(inProgress: .inProgress, until: resolver.deadline) { session in
            let alert = try alerts.lock(session, id)
            if let key = resolver.key, let kept = try keys.kept(session, key) {
                guard kept.canonical == canonical else {
                    return .keyReused(pointer: CanonicalRequest.firstDifference(kept.canonical, canonical))
                }
                if let requestID = kept.refusedRequestID { return .refused(requestID: requestID, isReplay: true) }
                return alert.map { .resolved($0.body, isReplay: true) } ?? .unknown
            }
            guard var alert else { return .unknown }
            let outcome = alert.outcome(of: request)
            if outcome == .resolve { try resolve(session, &alert, request, by: resolver) }
            if let key = resolver.key {
                let refused = outcome == .refused ? resolver.requestID : nil
                try keys.insert(session, key, KeptRequest(canonical: canonical, refusedRequestID: refused))
            }
            switch outcome {
            case .resolve, .unchanged: return .resolved(alert.body, isReplay: false)
            case .refused: return .refused(requestID: resolver.requestID, isReplay: false)
            }
        }
    }

    private func resolve(
        _ session: PostgresSession, _ alert: inout RiskAlert, _ request: ResolveRiskAlertRequest, by resolver: Resolver
    ) throws {
        // Never earlier than it was raised, whichever replica's clock said so.
        let resolvedAt = max(now(), alert.raisedAt)
        let resolution = RiskAlertResolutionBody(
            resolution: request.resolution, note: request.note, resolvedBy: resolver.userID, resolvedAt: resolvedAt)
        alert.resolution = resolution
        try alerts.resolve(session, alert.id, resolution, caller: resolver.caller)
        let payload = RiskAlertResolvedEvent(
            alertID: alert.id, rule: alert.finding.rule, walletID: alert.debit.walletID, resolution: request.resolution,
            resolvedBy: resolver.userID, resolvedAt: resolvedAt)
        var random = SystemRandomNumberGenerator()
        let event = OutboxEvent(
            payload, id: .new(milliseconds: resolvedAt.millisecondsSinceUnixEpoch, using: &random), at: resolvedAt,
            traceparent: resolver.traceparent)
        try OutboxWriter.append([event], session)
    }
}
