import Contracts
import Crypto
import FoundationEssentials
import HTTPService
import Idempotency

extension IdempotencyKey {
    /// The key of one item of an independent batch: a UUIDv5 (RFC 9562, section 5.5) of `<key of the batch>/<index>`, in the scope of the
    /// batch. Whoever lost a batch's answer may ask for one item by it, with a transfer of its own.
    func item(_ index: Int) -> IdempotencyKey {
        IdempotencyKey(
            caller: caller, principal: principal, key: UUID.v5(namespace: Self.batchItems, name: "\(key)/\(index)").uuidString.lowercased())
    }

    /// The namespace of batch items, as the OpenAPI document gives it: 6f1d3c52-8f0b-4b5a-9c39-2a7e5d0b4c11.
    private static let batchItems = UUID(high: 0x6F1D_3C52_8F0B_4B5A, low: 0x9C39_2A7E_5D0B_4C11)
}

extension UUID {
    fileprivate static func v5(namespace: UUID, name: String) -> UUID {
        var hash = Insecure.SHA1()
        withUnsafeBytes(of: namespace.uuid) { hash.update(bufferPointer: $0) }
        hash.update(data: Array(name.utf8))
        let (high, low) = hash.finalize().withUnsafeBytes { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        return UUID(high: (high & ~0xF000) | 0x5000, low: (low & ~(3 << 62)) | (2 << 62))
    }
}
