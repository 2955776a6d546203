import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// The ids that follow from a transfer's, in Swift and in SQL.
@Suite("Transfer ids", .onEachDatabasePath)
struct TransferIDTests {
    private static func transfers() -> [TransferID] {
        var random = SystemRandomNumberGenerator()
        let batch = TransferID.newBatch(milliseconds: 1_795_000_000_000, using: &random)
        return (0..<200).map { .newTransfer(milliseconds: 1_795_000_000_000 + $0, using: &random) }
            + [0, 1, 255, 511].map { batch.batchItem($0) }
            + [TransferID(UUID(high: 0, low: 0)), TransferID(UUID(high: .max, low: .max - 3))]
    }

    @Test("the ids of a transfer's entries and event follow from its own, and no two transfers share one")
    func derived() {
        let transfers = Self.transfers()
        let ids = transfers.flatMap { [$0.uuid, $0.debitEntryID.uuid, $0.creditEntryID.uuid, $0.eventID.uuid] }
        #expect(Set(ids).count == ids.count)
        for transfer in transfers {
            let ids = [transfer.uuid, transfer.debitEntryID.uuid, transfer.creditEntryID.uuid, transfer.eventID.uuid]
            #expect(ids.sorted() == ids)
            #expect(Set(ids.map { $0.halves.high }) == [transfer.uuid.halves.high])
            #expect(ids.map { $0.halves.low & 3 } == [0, 1, 2, 3])
        }
    }

    @Test("a batch's transfers follow from its first, in order")
    func batch() {
        var random = SystemRandomNumberGenerator()
        let first = TransferID.newBatch(milliseconds: 1_795_000_000_000, using: &random)
        let items = (0..<TransferBatchRequest.maximumItems).map { first.batchItem($0) }
        #expect(items.first == first)
        #expect(items.sorted() == items && Set(items).count == items.count)
    }

    @Test("the database derives the same event id as the service")
    func eventIDInSQL() async throws {
        let transfers = Self.transfers()
        let fixture = try await MoneyFixture()
        let derived = try await fixture.pool.withSession { session in
            try session.query(
                "SELECT transfer_event_id(id) FROM unnest(\(transfers.map(\.uuid))) WITH ORDINALITY AS t (id, place) ORDER BY place"
            ).map { try $0.decode(UUID.self) }
        }
        #expect(derived == transfers.map(\.eventID.uuid))
    }
}
