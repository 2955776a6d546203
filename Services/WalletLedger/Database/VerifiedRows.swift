import Contracts
import FoundationEssentials
import Idempotency
import Outbox
import Postgres

// Rows that `verify` compares with what the ledger would write.

extension VerifyStore {
    /// A transfer as far as the fingerprint of its request says it.
    struct KeyedTransfer {
        let kind: PostingKind
        let money: Money
        let source: WalletID
        let destination: WalletID
        let originalID: TransferID?
        let holdID: HoldID?
        let reference: String?
        let keyID: UUID
    }

    struct KeyRow {
        let id: UUID
        let caller: String
        let principal: String
        let key: String
        let fingerprint: RequestFingerprint
        let outcome: RecordedOutcome
        let transfer: KeyedTransfer?
        let subjectExists: Bool
    }

    /// An event of the outbox.
    struct StoredEvent {
        let id: Int64
        let eventID: EventID
        let type: String
        let subject: String
        let partition: String
        let data: String
    }
}

extension VerifyStore.KeyedTransfer {
    static let columns = PostgresColumns(
        ("t.kind", Int16.self), ("t.amount", Int64.self), ("t.currency", String.self), ("t.source_wallet_id", UUID.self),
        ("t.destination_wallet_id", UUID.self), ("t.original_id", UUID?.self), ("t.hold_id", UUID?.self), ("t.reference", String?.self),
        ("t.key_id", UUID.self))

    init(row: PostgresRow) throws {
        let (kind, amount, currency, source, destination, originalID, holdID, reference, keyID) = try row.decode(Self.columns)
        self.init(
            kind: try PostingKind(stored: kind), money: try Money(stored: amount, Currency(stored: currency, table: "transfers")),
            source: WalletID(source), destination: WalletID(destination), originalID: originalID.map { TransferID($0) },
            holdID: holdID.map { HoldID($0) }, reference: reference, keyID: keyID)
    }
}

extension VerifyStore.StoredEvent {
    static let columns = PostgresColumns(
        ("id", Int64.self), ("event_id", UUID.self), ("type", String.self), ("subject", String.self), ("partition_key", String.self),
        ("data", String.self))

    init(row: PostgresRow) throws {
        let (id, eventID, type, subject, partition, data) = try row.decode(Self.columns)
        self.init(id: id, eventID: EventID(eventID), type: type, subject: subject, partition: partition, data: data)
    }

    func fits(_ posting: Posting) -> Bool {
        let event = posting.event
        return eventID == posting.transferID.eventID && partition == posting.debit.walletID.description
            && type == event.type.rawValue && data == String(decoding: event.wireBytes(), as: UTF8.self)
    }

    func fits(_ change: HoldChange) -> Bool {
        let event = change.event
        return subject == change.hold.terms.id.description && partition == change.hold.terms.walletID.description
            && type == event.type.rawValue && data == String(decoding: event.wireBytes(), as: UTF8.self)
    }
}
