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
