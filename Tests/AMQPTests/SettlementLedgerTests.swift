import Testing

@testable import AMQP

@Suite struct SettlementLedgerTests {
    @Test func `a delivery is settled once`() {
        var ledger = SettlementLedger()
        _ = ledger.opened()
        let receipt = ledger.delivered(tag: 1)
        #expect(ledger.settle(receipt, isMultiple: false) == 1)
        #expect(ledger.settle(receipt, isMultiple: false) == 0)
        #expect(ledger.settle(receipt, isMultiple: true) == 0)
    }

    @Test func `a multiple settlement takes all before it, and says how many there were`() {
        var ledger = SettlementLedger()
        _ = ledger.opened()
        let receipts = (1...5).map { ledger.delivered(tag: $0) }
        #expect(ledger.settle(receipts[1], isMultiple: false) == 1)
        #expect(ledger.settle(receipts[3], isMultiple: true) == 3)
        #expect(ledger.count == 1)
        #expect(ledger.settle(receipts[0], isMultiple: true) == 0)
        #expect(ledger.settle(receipts[4], isMultiple: false) == 1)
    }

    @Test func `a receipt of an earlier channel settles nothing, though the tag is in use again`() {
        var ledger = SettlementLedger()
        _ = ledger.opened()
        let old = ledger.delivered(tag: 1)
        _ = ledger.opened()
        let new = ledger.delivered(tag: 1)
        #expect(ledger.settle(old, isMultiple: false) == 0)
        #expect(ledger.settle(old, isMultiple: true) == 0)
        #expect(ledger.count == 1)
        #expect(ledger.settle(new, isMultiple: false) == 1)
    }

    @Test func `nothing is unsettled on a channel that is gone`() {
        var ledger = SettlementLedger()
        _ = ledger.opened()
        let receipt = ledger.delivered(tag: 1)
        ledger.lost()
        #expect(ledger.count == 0 && ledger.settle(receipt, isMultiple: false) == 0)
    }

    @Test func `deliveries wait for takers, takers for deliveries, and a cancelled taker takes nothing`() async {
        let queue = DeliveryQueue()
        func delivery(_ tag: UInt64) -> AMQPDelivery {
            AMQPDelivery(
                message: AMQPMessage(body: [], messageID: "\(tag)"), exchange: "", routingKey: "", isRedelivered: false,
                receipt: DeliveryReceipt(tag: tag, generation: 1))
        }
        queue.append(delivery(1))
        #expect(await queue.next()?.receipt.tag == 1)
        let cancelled = Task { await queue.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        async let taken = queue.next()
        queue.append(delivery(2))
        #expect(await taken?.receipt.tag == 2)
        queue.append(delivery(3))
        #expect(queue.removeAll().map(\.receipt.tag) == [3])
        async let last = queue.next()
        queue.end()
        #expect(await last == nil)
        #expect(await queue.next() == nil)
    }
}
