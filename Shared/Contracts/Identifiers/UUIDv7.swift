package import FoundationEssentials

extension UUID {
    /// A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 74 random bits, so that ids sort by the time they were made.
    ///
    /// - Parameters:
    ///   - milliseconds: Unix time; only the low 48 bits are kept.
    ///   - generator: where the random bits come from; the system's generator in production.
    package static func v7(milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> UUID {
        let high = (UInt64(bitPattern: milliseconds) << 16) | 0x7000 | (generator.next() & 0x0FFF)
        let low = (generator.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return UUID(high: high, low: low)
    }
}

extension PrefixedID {
    package static func new(milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> Self {
        Self(UUID.v7(milliseconds: milliseconds, using: &generator))
    }
}

extension TransferID {
    /// The entry of one leg (0 debit, 1 credit). Derived, so that entries need neither a column nor an index for their id.
    ///
    /// A transfer's own id has the two lowest bits clear; see ``newTransfer(milliseconds:using:)``.
    package func entryID(leg: UInt64) -> EntryID {
        let (high, low) = uuid.halves
        return EntryID(UUID(high: high, low: low | (leg + 1)))
    }

    /// A new transfer id, whose two lowest bits are kept clear for the ids of its entries.
    package static func newTransfer(milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> Self {
        let (high, low) = UUID.v7(milliseconds: milliseconds, using: &generator).halves
        return Self(UUID(high: high, low: low & ~3))
    }

    /// A new id for the first transfer of an atomic batch; ``batchItem(_:)`` gives the others.
    ///
    /// - Parameter milliseconds: Unix time. 51 of the 62 low bits stay random.
    package static func newBatch(milliseconds: Int64, using generator: inout some RandomNumberGenerator) -> Self {
        let (high, low) = UUID.v7(milliseconds: milliseconds, using: &generator).halves
        return Self(UUID(high: high, low: low & ~0x7FF))
    }

    /// The transfer of item 0 to 511 of an atomic batch, so that a batch is found again by its first transfer and its length.
    package func batchItem(_ index: Int) -> TransferID {
        let (high, low) = uuid.halves
        return Self(UUID(high: high, low: low | UInt64(index) << 2))
    }
}
