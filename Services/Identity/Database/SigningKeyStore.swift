import Contracts
import Outbox
import Postgres

/// A signing key as the database has it; the private half is sealed.
struct StoredSigningKey: Sendable {
    /// The thumbprint (RFC 7638).
    let id: String
    /// x, then y.
    let publicKey: [UInt8]
    let sealedPrivateKey: [UInt8]
    let life: SigningKeyLife
}

/// The SQL of signing keys.
struct SigningKeyStore {
    /// The key of the advisory lock under which one replica at a time makes keys; the letters FLSK.
    private static let lock: Int64 = 0x464C_534B

    private static let times = PostgresColumns(
        ("publish_at", PostgresTimestamp.self), ("sign_from", PostgresTimestamp.self), ("sign_until", PostgresTimestamp.self),
        ("retire_at", PostgresTimestamp.self))

    /// Waits for its turn to change the keys; held until the end of the transaction.
    ///
    /// - Throws: `PostgresError`.
    func lock(_ session: PostgresSession) throws {
        try session.execute("SELECT pg_advisory_xact_lock(\(Self.lock))")
    }

    /// - Throws: `PostgresError`.
    func all(_ session: PostgresSession) throws -> [StoredSigningKey] {
        try session.query(
            "SELECT \(unsafeSQL: Self.times), kid, public_key, sealed_private_key FROM signing_keys ORDER BY sign_from, kid"
        ).map { row in
            let (publishAt, signFrom, signUntil, retireAt) = try row.decode(Self.times)
            let (id, publicKey, sealed) = try row.after(Self.times).decode(String.self, [UInt8].self, [UInt8].self)
            return StoredSigningKey(
                id: id, publicKey: publicKey, sealedPrivateKey: sealed,
                life: SigningKeyLife(
                    publishAt: Timestamp(publishAt), signFrom: Timestamp(signFrom), signUntil: Timestamp(signUntil), retireAt: Timestamp(retireAt)))
        }
    }

    /// - Throws: `PostgresError`.
    func insert(_ session: PostgresSession, _ key: StoredSigningKey, at now: Timestamp) throws {
        let row: PostgresArguments = [
            "kid": key.id, "public_key": key.publicKey, "sealed_private_key": key.sealedPrivateKey, "created_at": now.stored,
            "publish_at": key.life.publishAt.stored, "sign_from": key.life.signFrom.stored, "sign_until": key.life.signUntil.stored,
            "retire_at": key.life.retireAt.stored,
        ]
        try session.execute("INSERT INTO signing_keys (\(unsafeSQL: row.list)) VALUES (\(row))")
    }

    /// Withdraws every key: nothing that they signed counts any more.
    ///
    /// - Throws: `PostgresError`.
    func deleteAll(_ session: PostgresSession) throws -> Int { try session.execute("DELETE FROM signing_keys") }
}
