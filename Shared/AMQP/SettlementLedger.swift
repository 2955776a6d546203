/// Which deliveries of the channel in use are not settled, without any input or output.
///
/// The broker closes the channel over an acknowledgement that it does not expect, and all unsettled messages come again; so what is settled
/// twice or belongs to an earlier channel is dropped here.
struct SettlementLedger: Sendable {
    /// Counts channels; 0 before the first.
    private(set) var generation = 0
    private var unsettled: Set<UInt64> = []

    var count: Int { unsettled.count }

    /// Another channel is open, on which tags begin again.
    mutating func opened() -> Int {
        generation += 1
        lost()
        return generation
    }

    /// The channel is gone; what was unsettled comes again.
    mutating func lost() { unsettled.removeAll() }

    mutating func delivered(tag: UInt64) -> DeliveryReceipt {
        unsettled.insert(tag)
        return DeliveryReceipt(tag: tag, generation: generation)
    }

    /// - Parameter isMultiple: with all deliveries before it on the same channel.
    /// - Returns: how many are settled by it; zero when the broker must not hear of it.
    mutating func settle(_ receipt: DeliveryReceipt, isMultiple: Bool) -> Int {
        guard receipt.generation == generation else { return 0 }
        guard isMultiple else { return unsettled.remove(receipt.tag) == nil ? 0 : 1 }
        let before = unsettled.count
        unsettled = unsettled.filter { $0 > receipt.tag }
        return before - unsettled.count
    }
}
