import Contracts
import Foundation
import HTTPService
import Idempotency
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import WalletLedger

/// The ledger in the simplest words: balances in an array, one operation after the other. Shares no code with the real one.
private struct Model {
    struct Wallet {
        var balance: Int64 = 0
        var limit: Int64 = 0
        var state = "open"
    }
    struct Posted {
        let id: Int
        let from: Int
        let to: Int
        let amount: Int64
        let isRefund: Bool
        var refunded: Int64 = 0
    }

    var wallets: [Wallet]
    /// Accepted postings; -1 stands for the world.
    var posted: [Posted] = []
    var answers: [String: (request: RequestFingerprint, answer: String)] = [:]

    mutating func move(_ from: Int, _ to: Int, _ amount: Int64, key: String, request: RequestFingerprint, isRefundOf original: Int? = nil) -> String {
        if let kept = answers[key] { return kept.request == request ? kept.answer : "key_reused" }
        let answer = decide(from, to, amount, original)
        answers[key] = (request, answer)
        return answer
    }

    private mutating func decide(_ from: Int, _ to: Int, _ amount: Int64, _ original: Int?) -> String {
        if from == to { return "same_wallet" }
        for side in [from, to] where side >= 0 && wallets[side].state == "closed" { return "wallet_closed" }
        if let original {
            if posted[original].isRefund || posted[original].refunded + amount > posted[original].amount { return "refund_exceeds_original" }
        }
        if from >= 0 {
            if wallets[from].state != "open" { return "wallet_frozen" }
            if wallets[from].balance - amount < -wallets[from].limit { return "insufficient_funds" }
        }
        if to >= 0, wallets[to].state == "frozen_all" { return "wallet_frozen" }
        if from >= 0 { wallets[from].balance -= amount }
        if to >= 0 { wallets[to].balance += amount }
        if let original { posted[original].refunded += amount }
        posted.append(Posted(id: posted.count, from: from, to: to, amount: amount, isRefund: original != nil))
        return "posted \(posted.count - 1)"
    }

    mutating func change(_ wallet: Int, _ kind: Int, limit: Int64) -> String {
        if wallets[wallet].state == "closed" { return "wallet_closed" }
        switch kind {
        case 0: wallets[wallet].state = "frozen_debits"
        case 1: wallets[wallet].state = "frozen_all"
        case 2, 3: wallets[wallet].state = "open"
        case 4:
            if wallets[wallet].balance != 0 { return "balance_not_zero" }
            wallets[wallet].state = "closed"
        default:
            if wallets[wallet].balance < -limit { return "overdraft_in_use" }
            wallets[wallet].limit = limit
        }
        return "done"
    }
}

@Suite("The ledger against a model", .onEachDatabasePath)
struct MoneyPropertyTests {
    /// Fewer through the pooler, where only the transport differs.
    private static var seeds: UInt64 { DatabasePath.current == .direct ? 200 : 40 }
    private static let operations = 500
    private static let walletCount = 6

    @Test("200 seeds of 500 operations of every kind do what the model does, 40 of them once more through PgBouncer")
    func model() async throws {
        let fixture = try await MoneyFixture()
        for seed in 1...Self.seeds {
            var run = Run(fixture: fixture, seed: seed)
            try await run.play(operations: Self.operations, wallets: Self.walletCount)
        }
        #expect(try await fixture.verify().findings == [])
    }

    private struct Run {
        let fixture: MoneyFixture
        let seed: UInt64
        var random: SeededGenerator
        var model = Model(wallets: [])
        var ids: [WalletID] = []
        /// The ledger's ids of the model's postings.
        var real: [Int: TransferID] = [:]
        var batch: [(request: PostingRequest, expected: String)] = []
        var history: [(request: PostingRequest, from: Int, to: Int, amount: Int64, original: Int?)] = []

        init(fixture: MoneyFixture, seed: UInt64) {
            self.fixture = fixture
            self.seed = seed
            random = SeededGenerator(seed: seed)
        }

        mutating func play(operations: Int, wallets count: Int) async throws {
            for _ in 0..<count {
                ids.append(try await fixture.openWallet())
                model.wallets.append(.init())
            }
            for operation in 0..<operations {
                if Int.random(in: 0..<12, using: &random) == 0 {
                    try await flush()
                    try await changeState()
                } else {
                    try await post(operation)
                }
                if batch.count >= Int.random(in: 1...64, using: &random) { try await flush() }
            }
            try await flush()
            for (id, wallet) in zip(ids, model.wallets) {
                let balance = try await fixture.balance(id)
                #expect(balance == wallet.balance, "seed \(seed)")
            }
        }

        private mutating func post(_ operation: Int) async throws {
            // An earlier request again, or its key with another body.
            if !history.isEmpty, Int.random(in: 0..<10, using: &random) == 0 {
                let earlier = history[Int.random(in: 0..<history.count, using: &random)]
                let reuse = Bool.random(using: &random)
                let first = earlier.request.fingerprint
                let fingerprint = reuse ? RequestFingerprint(stored: "\(first.text) ") : first
                let request = PostingRequest(
                    order: earlier.request.order, key: earlier.request.key, fingerprint: fingerprint, requestID: UUID().uuidString)
                let expected = model.move(
                    earlier.from, earlier.to, earlier.amount, key: request.key?.key ?? "", request: fingerprint, isRefundOf: earlier.original)
                batch.append((request, expected))
                return
            }
            let amount = Int64.random(in: 1...300, using: &random)
            let a = Int.random(in: 0..<ids.count, using: &random)
            let b = Int.random(in: 0..<ids.count, using: &random)
            let name = "\(seed)-\(operation)"
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                try add(
                    .transfer(
                        TransferRequest(sourceWalletID: ids[a], destinationWalletID: ids[b], money: money(amount)),
                        id: MoneyFixture.newTransferID(), access: .user(MoneyFixture.owner)), a, b, amount, nil, name)
            case 5..<7:
                try add(
                    .deposit(
                        FundingRequest(walletID: ids[a], money: money(amount)), id: MoneyFixture.newTransferID(),
                        access: .client("bank")), -1, a, amount, nil, name)
            case 7:
                try add(
                    .withdrawal(
                        FundingRequest(walletID: ids[a], money: money(amount)), id: MoneyFixture.newTransferID(),
                        access: .client("bank")), a, -1, amount, nil, name)
            default:
                try await flush()
                guard !model.posted.isEmpty else { return }
                let original = model.posted[Int.random(in: 0..<model.posted.count, using: &random)]
                guard let id = real[original.id] else { return }
                let part = Int64.random(in: 1...original.amount, using: &random)
                let found = try await fixture.pool.withSession { session in try BatchStore().postings(session, [id])[id] }
                guard let found else { throw UnreadableRow(table: "transfers") }
                let known = OriginalTransfer(
                    id: id, kind: found.kind, money: found.money, sourceWalletID: found.debit.walletID,
                    destinationWalletID: found.credit.walletID)
                try add(
                    .refund(RefundRequest(money: money(part)), of: known, id: MoneyFixture.newTransferID(), access: .staff("usr_s")),
                    original.to, original.from, part, original.id, name)
            }
        }

        private func money(_ amount: Int64) -> Money { MoneyFixture.money(amount) }

        private mutating func add(
            _ order: PostingOrder, _ from: Int, _ to: Int, _ amount: Int64, _ original: Int?, _ name: String
        ) throws {
            let fingerprint = fingerprint(order, original.flatMap { real[$0] })
            let request = PostingRequest(
                order: .posting(order), key: MoneyFixture.key(name, principal: order.access.principal), fingerprint: fingerprint, requestID: name)
            history.append((request, from, to, amount, original))
            batch.append((request, model.move(from, to, amount, key: name, request: fingerprint, isRefundOf: original)))
        }

        /// As `PostMoney` has it, so that `verify` can compare it with the posting.
        private func fingerprint(_ order: PostingOrder, _ original: TransferID?) -> RequestFingerprint {
            if let original { return .refund(of: original, RefundRequest(money: order.money)) }
            switch order.kind {
            case .deposit: return .funding("POST /v1/deposits", FundingRequest(walletID: order.destinationWalletID, money: order.money))
            case .withdrawal: return .funding("POST /v1/withdrawals", FundingRequest(walletID: order.sourceWalletID, money: order.money))
            case .transfer, .refund, .capture:
                return .transfer(
                    TransferRequest(sourceWalletID: order.sourceWalletID, destinationWalletID: order.destinationWalletID, money: order.money))
            }
        }

        private mutating func flush() async throws {
            guard !batch.isEmpty else { return }
            let outcomes = try await fixture.post(batch.map(\.request))
            for (item, outcome) in zip(batch, outcomes) {
                switch outcome {
                case .posted(let body, _):
                    guard item.expected.hasPrefix("posted "), let index = Int(item.expected.dropFirst(7)) else {
                        Issue.record("seed \(seed): posted, the model says \(item.expected)")
                        continue
                    }
                    if let before = real[index] { #expect(before == body.id, "seed \(seed)") }
                    real[index] = body.id
                case .refused(let refusal, _, _): #expect(refusal.rejection.rawValue == item.expected, "seed \(seed)")
                case .keyReused: #expect(item.expected == "key_reused", "seed \(seed)")
                case .failed, .batchPosted, .holdPlaced, .holdCaptured, .holdEnded: Issue.record("seed \(seed): \(outcome)")
                }
            }
            batch = []
        }

        private mutating func changeState() async throws {
            let wallet = Int.random(in: 0..<ids.count, using: &random)
            // Closing is final: seldom, or soon nothing is left to pay with.
            let kind = [0, 1, 2, 2, 2, 2, 3, 5, 5, 5, 4][Int.random(in: 0..<11, using: &random)]
            let limit = Int64.random(in: 0...400, using: &random)
            let change: WalletChange =
                switch kind {
                case 0: .freeze(.debits)
                case 1: .freeze(.all)
                case 2, 3: .unfreeze
                case 4: .close
                default: .setOverdraftLimit(limit, Currency("EUR")!)
                }
            let expected = model.change(wallet, kind, limit: limit)
            let origin = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
            switch try await ChangeWallet(pool: fixture.pool, clock: fixture.clock)(ids[wallet], change, reason: "test", origin) {
            case .done: #expect(expected == "done", "seed \(seed)")
            case .refused(let refusal, _, _): #expect(refusal.rejection.rawValue == expected, "seed \(seed)")
            case .keyReused, .inProgress: Issue.record("seed \(seed): no key was given")
            }
        }
    }
}
