package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// The SQL of sign-in flows. Each change is one UPDATE that names the state before, so that of two posts one finds nothing to change.
package struct SignInFlowStore: Sendable {
    package init() {}

    /// Keeps a flow that begins, and drops the oldest of its owner beyond ``SignInFlow/mostPerBrowser``.
    ///
    /// - Throws: `PostgresError`.
    package func insert(_ flow: SignInFlow, _ session: PostgresSession) throws {
        let (progress, proved) = (flow.progress, flow.progress.proved)
        var row: PostgresArguments = [
            "id": flow.id.uuid, "owner_hash": flow.owner, "client_id": flow.request.clientID, "request": flow.request.json,
            "state": progress.step.rawValue, "user_id": proved?.user, "credential_generation": proved?.generation, "amr": proved?.amr ?? [],
            "authenticated_at": proved?.authenticatedAt.stored, "second_factor_at": proved?.secondFactorAt?.stored, "session_id": flow.session,
        ]
        row += ["created_at": flow.createdAt.stored, "expires_at": progress.expiresAt.stored, "ended_at": flow.endedAt?.stored]
        _ = try session.pipeline([
            "INSERT INTO sign_in_flows (\(unsafeSQL: row.list)) VALUES (\(row))",
            """
            DELETE FROM sign_in_flows WHERE id IN (
                SELECT id FROM sign_in_flows WHERE owner_hash = \(flow.owner) ORDER BY created_at DESC, id DESC OFFSET \(SignInFlow.mostPerBrowser))
            """,
        ])
    }

    private static let columns = PostgresColumns(
        ("f.owner_hash", [UInt8].self), ("f.request", PostgresJSON.self), ("f.state", String.self), ("f.user_id", UUID?.self),
        ("f.credential_generation", Int64?.self), ("f.amr", [String].self), ("f.authenticated_at", PostgresTimestamp?.self),
        ("f.second_factor_at", PostgresTimestamp?.self), ("f.session_id", UUID?.self), ("f.sealed_answer", [UInt8]?.self),
        ("f.wrong_codes", Int16.self), ("f.created_at", PostgresTimestamp.self), ("f.expires_at", PostgresTimestamp.self),
        ("f.ended_at", PostgresTimestamp?.self))

    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func find(_ id: SignInFlowID, _ session: PostgresSession) throws -> SignInFlow? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM sign_in_flows f WHERE f.id = \(id.uuid)").first.map { try Self.read($0, id) }
    }

    /// Hands an app's flow on from the secret that it belonged to: of many who show that secret at once, one finds the flow.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func take(from owner: [UInt8], for next: [UInt8], at now: Timestamp, _ session: PostgresSession) throws -> SignInFlow? {
        try session.query(
            """
            UPDATE sign_in_flows f SET owner_hash = \(next) WHERE f.owner_hash = \(owner) AND f.ended_at IS NULL AND f.expires_at > \(now.stored)
            RETURNING \(unsafeSQL: Self.columns), f.id
            """
        ).first.map { row in try Self.read(row, SignInFlowID(try row.after(Self.columns).decode(UUID.self))) }
    }

    /// As ``find(_:_:)``, and nobody else changes it until the end of the transaction.
    ///
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func lock(_ id: SignInFlowID, _ session: PostgresSession) throws -> SignInFlow? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM sign_in_flows f WHERE f.id = \(id.uuid) FOR NO KEY UPDATE")
            .first.map { try Self.read($0, id) }
    }

    /// Moves a flow from where it stands.
    ///
    /// - Parameter session: See ``SignInFlow/session``.
    /// - Returns: whether it stood there, was not expired, and belonged to whom `flow` says.
    /// - Throws: `PostgresError`.
    package func advance(
        _ flow: SignInFlow, to next: SignInProgress, session sessionID: UUID?, sealedAnswer: [UInt8]? = nil,
        at now: Timestamp, _ session: PostgresSession
    ) throws -> Bool {
        let (proved, hasEnded) = (next.proved, next.step == .finished || next.step == .refused)
        return try session.execute(
            """
            UPDATE sign_in_flows SET state = \(next.step.rawValue), user_id = \(proved?.user),
                credential_generation = \(proved?.generation), amr = \(proved?.amr ?? []), authenticated_at = \(proved?.authenticatedAt.stored),
                second_factor_at = \(proved?.secondFactorAt?.stored), session_id = \(sessionID), sealed_answer = \(sealedAnswer),
                wrong_codes = \(Int16(next.wrongCodes)), ended_at = \(hasEnded ? now.stored : nil)
            WHERE id = \(flow.id.uuid) AND owner_hash = \(flow.owner) AND state = \(flow.progress.step.rawValue) AND expires_at > \(now.stored)
            """) == 1
    }

    /// Counts a wrong code, and ends the flow with the last that it takes. Within a transaction.
    ///
    /// - Returns: whether it takes another one.
    /// - Throws: `PostgresError`, ``UnreadableRow``.
    package func countWrongCode(_ flow: SignInFlow, at now: Timestamp, _ session: PostgresSession) throws -> Bool {
        guard let standing = try lock(flow.id, session), standing.owner == flow.owner,
            let next = try? standing.progress.enteredWrongCode(at: now)
        else { return false }
        return try advance(standing, to: next, session: standing.session, at: now, session) && next.step == .secondFactor
    }

    private static func read(_ row: PostgresRow, _ id: SignInFlowID) throws -> SignInFlow {
        let (
            owner, json, state, user, generation, amr, authenticatedAt, secondFactorAt, sessionID, sealedAnswer, wrongCodes, createdAt, expiresAt,
            endedAt
        ) = try row.decode(columns)
        guard let step = SignInProgress.Step(rawValue: state) else { throw UnreadableRow(table: "sign_in_flows") }
        let request = try AuthorizationRequest(json: json)
        var proved: Authentication?
        if let user, let generation, let authenticatedAt {
            proved = Authentication(
                user: user, generation: generation, amr: amr, authenticatedAt: Timestamp(authenticatedAt),
                secondFactorAt: secondFactorAt.map(Timestamp.init))
        }
        return SignInFlow(
            id: id, owner: owner, request: request,
            progress: SignInProgress(
                demand: request.demand, expiresAt: Timestamp(expiresAt), step: step, proved: proved, wrongCodes: Int(wrongCodes)),
            session: sessionID, sealedAnswer: sealedAnswer, createdAt: Timestamp(createdAt), endedAt: endedAt.map(Timestamp.init))
    }
}
