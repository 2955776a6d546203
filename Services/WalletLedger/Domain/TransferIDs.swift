package import Contracts
import FoundationEssentials

/// The ledger's transfer ids are UUIDv7s whose last bits it keeps clear, so that the ids of what belongs to a transfer follow from its own
/// and need neither a column nor an index.
///
/// The last two bits are 0 in a transfer's own id and say in the others what they name (``Part``). The nine before them are the place in an
/// atomic batch, 0 for its first transfer; those of a transfer of its own are random.
extension TransferID {
    /// What has an id that follows from its transfer's. The numbers are in rows and events, and the function `transfer_event_id` has one.
    private enum Part: UInt64 {
        case debitEntry = 1
        case creditEntry = 2
        case event = 3
    }

    private static let partBits: UInt64 = 0b11
    private static let batchBits: UInt64 = 0x7FF

    package var debitEntryID: EntryID { EntryID(uuid(of: .debitEntry)) }
    package var creditEntryID: EntryID { EntryID(uuid(of: .creditEntry)) }
    /// The event by which the transfer is told; in SQL `transfer_event_id(id)`.
    package var eventID: EventID { EventID(uuid(of: .event)) }

    private func uuid(of part: Part) -> UUID {
        let (high, low) = uuid.halves
        return UUID(high: high, low: low | part.rawValue)
    }

    /// A new id for a transfer of its own.
    ///
    /// - Parameter milliseconds: Unix time.
    package static func newTransfer(milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> Self {
        new(milliseconds: milliseconds, clearing: partBits, using: &generator)
    }

    /// A new id for the first transfer of an atomic batch; ``batchItem(_:)`` gives the others.
    ///
    /// - Parameter milliseconds: Unix time. 51 of the 62 low bits stay random.
    package static func newBatch(milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> Self {
        new(milliseconds: milliseconds, clearing: batchBits, using: &generator)
    }

    private static func new(milliseconds: Int64, clearing bits: UInt64, using generator: inout some RandomNumberGenerator) -> Self {
        let (high, low) = UUID.v7(milliseconds: milliseconds, using: &generator).halves
        return Self(UUID(high: high, low: low & ~bits))
    }

    /// The transfer of item 0 to 511 of an atomic batch, so that a batch is found again by its first transfer and its length.
    package func batchItem(_ index: Int) -> TransferID {
        let (high, low) = uuid.halves
        return Self(UUID(high: high, low: low | UInt64(index) << 2))
    }
}
