package import AMQP
import Contracts
import EventBroker
import FoundationEssentials
package import StrictJSON

/// Events of transfers that never were, as wallet-ledger's relay would publish them.
package struct TransferEvents: Sendable {
    private static let source = "wallet-ledger"
    private static let amountMinor: Int64 = 1_999

    private let wallets: [WalletID]
    private let microseconds: Int64

    /// - Parameters:
    ///   - count: How many wallets pay each other, 2 or more.
    ///   - spacing: Milliseconds from one event's time to the next one's.
    package init(wallets count: Int, milliseconds spacing: Int) {
        var random = SystemRandomNumberGenerator()
        wallets = (0..<count).map { _ in .new(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000), using: &random) }
        microseconds = Int64(spacing) * 1_000
    }

    /// The last of them tells of something that happens now.
    /// - Throws: ``JSONError``, by a mistake in the payload's encoder.
    package func publications(count: Int) throws(JSONError) -> [AMQPPublication] {
        var random = SystemRandomNumberGenerator()
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        var publications: [AMQPPublication] = []
        publications.reserveCapacity(count)
        for index in 0..<count {
            let time = Timestamp(microsecondsSinceUnixEpoch: now - Int64(count - 1 - index) * microseconds)
            publications.append(try publication(at: time, using: &random))
        }
        return publications
    }

    private func publication(at time: Timestamp, using random: inout some RandomNumberGenerator) throws(JSONError) -> AMQPPublication {
        let source = Int.random(in: 0..<wallets.count, using: &random)
        let destination = (source + Int.random(in: 1..<wallets.count, using: &random)) % wallets.count
        guard let currency = Currency("EUR"), let money = Money(amountMinor: Self.amountMinor, currency: currency) else {
            preconditionFailure("the currency is known and the amount in range")
        }
        let milliseconds = time.millisecondsSinceUnixEpoch
        let payload = TransferPostedEvent(
            transferID: .new(milliseconds: milliseconds, using: &random), kind: .transfer, money: money, originalTransferID: nil,
            reference: nil, postedAt: time,
            legs: [
                TransferLeg(walletID: wallets[source], walletVersion: 1, amountMinor: -money.amountMinor, balanceAfterMinor: -money.amountMinor),
                TransferLeg(walletID: wallets[destination], walletVersion: 1, amountMinor: money.amountMinor, balanceAfterMinor: money.amountMinor),
            ])
        let id = EventID.new(milliseconds: milliseconds, using: &random)
        let envelope = try EventEnvelope(payload, id: id, time: time, traceparent: Self.traceparent(using: &random))
        return EventMessage.publication(
            envelope: envelope.wireBytes(), id: id, type: payload.type.rawValue, source: Self.source, time: time)
    }

    /// Of a trace that is not sampled.
    private static func traceparent(using random: inout some RandomNumberGenerator) -> String {
        func digits() -> String {
            let text = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return "00-\(digits())\(digits())-\(digits())-00"
    }
}
