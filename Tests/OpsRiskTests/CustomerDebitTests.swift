import Contracts
import Testing

@testable import OpsRisk

@Suite("What is judged")
struct CustomerDebitTests {
    @Test("money that a customer pays is judged: a transfer, a withdrawal, a capture", arguments: [PostingKind.transfer, .withdrawal, .capture])
    func judged(kind: PostingKind) {
        let wallet = RiskSamples.newWallet()
        let posting = RiskSamples.posting(kind, from: wallet, 250, at: 3)
        let debit = CustomerDebit(posting)
        #expect(debit?.walletID == wallet)
        #expect(debit?.transferID == posting.transferID)
        #expect(debit?.money == posting.money)
        #expect(debit?.occurredAt == RiskSamples.time(3))
    }

    @Test("a deposit, which debits the world outside, and a refund are judged by no rule", arguments: [PostingKind.deposit, .refund])
    func notJudged(kind: PostingKind) {
        #expect(CustomerDebit(RiskSamples.posting(kind, from: RiskSamples.newWallet(), MinorUnits.maximum)) == nil)
    }

    @Test("every kind of posting is one or the other")
    func complete() {
        #expect(Set(PostingKind.allCases) == [.transfer, .withdrawal, .capture, .deposit, .refund])
    }
}
