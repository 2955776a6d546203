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
    package let key: IdempotencyKey?
    package let requestID: String
    package let traceparent: String?
    package let deadline: ContinuousClock.Instant?

    package init(
        caller: String, userID: String, key: IdempotencyKey?, requestID: String, traceparent: String?, deadline: ContinuousClock.Instant? = nil
    ) {
        self.caller = caller
        self.userID = userID
        self.key = key
        self.requestID = requestID
        self.traceparent = traceparent
        self.deadline = deadline
    }
}

package typealias ResolveAnswer = IdempotentAnswer<RiskAlertBody, ResolveRefusal>

/// Resolves an alert, once and for all, and says so in an event.
///
/// Resolving again with the same resolution and note returns the resolved alert; anything else is refused.
package struct ResolveAlert: Sendable {
    private let idempotent: IdempotentTransaction<ResolveOutcome>
    private let now: @Sendable () -> Timestamp
    private let alerts = AlertStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        idempotent = IdempotentTransaction(pool: pool)
        self.now = now
    }

    /// - Throws: `PostgresError`; ``UnreadableIdempotencyRecord``.
    package func callAsFunction(_ id: AlertID, _ request: ResolveRiskAlertRequest, by resolver: Resolver) async throws -> ResolveAnswer {
        let fingerprint = RequestFingerprint(route: "POST /v1/risk/alerts/{id}/resolve") { members in
            members.member("id", id.description)
            members.member("resolution", request.resolution.rawValue)
            members.member("note", ifPresent: request.note)
        }
        return try await idempotent(resolver.key, fingerprint, requestID: resolver.requestID, until: resolver.deadline) { session in
            guard var alert = try alerts.lock(session, id) else { return .refusedForNow(.notFound) }
            switch alert.outcome(of: request) {
            case .resolve: try resolve(session, &alert, request, by: resolver)
            case .unchanged: break
            case .refused: return .refused(.resolvedOtherwise)
            }
            return .done(alert.body, .resolved)
        } recall: { session, _ in
            try alerts.lock(session, id)?.body
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
