import Contracts
import FoundationEssentials
import Postgres

/// The one verifier of mailed codes, whatever the door: it counts the attempts (ID-06).
///
/// Attempts count per flow, and not per account: an outsider who begins flows for somebody's address locks nobody out. How many codes can
/// be guessed at is bounded by how many are mailed (``MailBudget``), for a flow whose code was not sent has none.
struct VerifyMailedCode: Sendable {
    /// What came of a code that was right.
    enum Outcome<Value: Sendable>: Sendable {
        case done(Value)
        case refused
    }

    private let pool: PostgresPool
    private let box: SecretBox
    private let attempts: AttemptCounter
    private let now: @Sendable () -> Timestamp
    private let codes = MailedCodeStore()
    private let failures = SignInFailureStore()

    init(pool: PostgresPool, box: SecretBox, attempts: AttemptCounter, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.box = box
        self.attempts = attempts
        self.now = now
    }

    /// Verifies a code, and does what it allows in the same transaction, in which the row is locked.
    ///
    /// - Parameter body: Is given the row, which is alive; what it refuses counts like a wrong code.
    /// - Throws: ``AccountRefusal`` `codeInvalid`; ``CredentialRefusal`` `blocked`; `PostgresError`; what the body throws, after a rollback.
    func callAsFunction<Value: Sendable>(
        _ code: String, _ kind: MailedCodeKind, handle: String, _ facts: RequestFacts,
        _ body: @Sendable (MailedCodeRow, PostgresSession) throws -> Outcome<Value>
    ) async throws -> Value {
        let limit = WaitLimit(until: facts.deadline)
        guard let owner = BrowserSecret(handle)?.hash,
            let begun = try await pool.withSession(within: limit, { session in try codes.find(kind, owner: owner, session) }),
            let address = EmailAddress(begun.email)
        else { throw AccountRefusal.codeInvalid }
        let attempt = try await attempts.begin(
            .mailedCode, on: .address(address), from: AttemptOrigin(deviceHash: owner, network: facts.origin.network), isKnownDevice: true,
            until: facts.deadline)
        let entered = MailedCode(code)
        let now = now()
        let outcome = try await pool.withTransaction(within: limit) { session in
            guard let row = try codes.lock(kind, owner: owner, session), now < row.expiresAt, row.wrongCodes < MailedCode.tries else {
                return Outcome<Value>.refused
            }
            if let entered, try isRight(entered, row), case .done(let value) = try body(row, session) { return .done(value) }
            try codes.countWrongCode(row.id, session)
            // A registration is nobody's yet.
            if kind == .recovery { try failures.append(session, .mailedCode, of: row.user, isLast: attempt.isLast, at: now) }
            return .refused
        }
        guard case .done(let value) = outcome else { throw AccountRefusal.codeInvalid }
        try await attempts.succeed(attempt)
        return value
    }

    private func isRight(_ entered: MailedCode, _ row: MailedCodeRow) throws -> Bool {
        guard let sealed = row.sealedCode else { return false }
        let text = String(decoding: try box.open(sealed, for: row.secretContext), as: UTF8.self)
        return MailedCode(text).map { $0.matches(entered) } ?? false
    }
}
