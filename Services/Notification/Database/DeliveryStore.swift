import Contracts
import FoundationEssentials
import Postgres
import WorkQueue

/// The SQL of deliveries.
struct DeliveryStore {
    /// Those that there is a delivery for.
    ///
    /// - Throws: `PostgresError`.
    func known(_ session: PostgresSession, among messages: [MessageID]) throws -> Set<MessageID> {
        let result = try session.query("SELECT id FROM deliveries WHERE id = ANY (\(messages.map(\.uuid)))")
        return Set(try result.map { row in MessageID(try row.decode(UUID.self)) })
    }

    /// - Throws: `PostgresError`.
    func insert(_ session: PostgresSession, _ request: RequestedMessage, item: Int64, expiresAt: Timestamp) throws {
        let (message, sealed) = (request.message, request.message.sealed)
        let row: PostgresArguments = [
            "id": message.messageID.uuid, "work_item": item, "event_id": request.eventID.uuid, "purpose": message.purpose.rawValue,
            "user_id": message.userID?.uuid, "locale": message.locale, "requested_at": Self.stored(request.requestedAt),
            "expires_at": Self.stored(expiresAt), "sealed_key_id": sealed.keyID, "encapsulated_key": sealed.encapsulatedKey,
            "ciphertext": sealed.ciphertext,
        ]
        try session.execute("INSERT INTO deliveries (\(unsafeSQL: row.list)) VALUES (\(row))")
    }

    /// The delivery of a piece of work; nil when there is none.
    ///
    /// - Throws: `PostgresError`.
    func find(_ session: PostgresSession, item: Int64) throws -> Delivery? {
        try session.query("SELECT \(unsafeSQL: Self.columns) FROM deliveries WHERE work_item = \(item)").first.map { row in
            let (id, event, purpose, locale, expiresAt, keyID, encapsulatedKey, ciphertext) = try row.decode(Self.columns)
            guard let purpose = MessagePurpose(rawValue: purpose) else { throw PostgresError(.decoding, "a delivery of an unknown purpose") }
            var sealed: SealedText?
            if let keyID, let encapsulatedKey, let ciphertext {
                sealed = SealedText(keyID: keyID, encapsulatedKey: encapsulatedKey, ciphertext: ciphertext)
            }
            return Delivery(
                id: MessageID(id), eventID: EventID(event), purpose: purpose, language: MessageLanguage(locale: locale),
                expiresAt: Timestamp(microsecondsSinceUnixEpoch: expiresAt.microsecondsSinceUnixEpoch), sealed: sealed)
        }
    }

    private static let columns = PostgresColumns(
        ("id", UUID.self), ("event_id", UUID.self), ("purpose", String.self), ("locale", String.self), ("expires_at", PostgresTimestamp.self),
        ("sealed_key_id", String?.self), ("encapsulated_key", [UInt8]?.self), ("ciphertext", [UInt8]?.self))

    /// Erases the texts of work that is over.
    ///
    /// - Throws: `PostgresError`.
    func erase(_ session: PostgresSession, _ items: [Int64]) throws {
        try session.execute(
            """
            UPDATE deliveries SET sealed_key_id = NULL, encapsulated_key = NULL, ciphertext = NULL
            WHERE work_item = ANY (\(items)) AND ciphertext IS NOT NULL
            """)
    }

    /// Erases texts that are worth nothing any more, also those of dead letters.
    ///
    /// - Returns: How many.
    /// - Throws: `PostgresError`.
    func eraseExpired(_ session: PostgresSession, atMost count: Int32) throws -> Int {
        try session.execute(
            """
            UPDATE deliveries SET sealed_key_id = NULL, encapsulated_key = NULL, ciphertext = NULL
            WHERE id IN (
                SELECT id FROM deliveries WHERE ciphertext IS NOT NULL AND expires_at <= now() ORDER BY expires_at LIMIT \(Int64(count))
                FOR UPDATE SKIP LOCKED)
            """)
    }

    private static func stored(_ time: Timestamp) -> PostgresTimestamp {
        PostgresTimestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch)
    }
}
