import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// Wallets with holds in the simplest words. Shares no code with the real ledger.
private struct HoldModel {
    struct Hold {
        let payer: Int
        let shop: Int
        let amount: Int64
        var captured: Int64 = 0
        var state = "open"
        var left: Int64 { state == "open" ? amount - captured : 0 }
    }

    var balances: [Int64]
    var holds: [Hold] = []

    func available(_ wallet: Int) -> Int64 {
        balances[wallet] - holds.filter { $0.payer == wallet }.reduce(0) { $0 + $1.left }
    }

    mutating func move(_ from: Int, _ to: Int, _ amount: Int64) -> String {
        if from == to { return "same_wallet" }
        if available(from) < amount { return "insufficient_funds" }
        balances[from] -= amount
        balances[to] += amount
        return "posted"
    }

    mutating func place(_ from: Int, _ to: Int, _ amount: Int64) -> String {
        if from == to { return "same_wallet" }
        if available(from) < amount { return "insufficient_funds" }
        holds.append(Hold(payer: from, shop: to, amount: amount))
        return "placed"
    }

    mutating func capture(_ index: Int, _ amount: Int64?, isFinal: Bool) -> String {
        guard holds[index].state == "open" else { return "hold_not_open" }
        let taken = amount ?? holds[index].left
        if taken > holds[index].left { return "capture_exceeds_hold" }
        balances[holds[index].payer] -= taken
        balances[holds[index].shop] += taken
        holds[index].captured += taken
        if isFinal || holds[index].captured == holds[index].amount { holds[index].state = "captured" }
        return "captured"
    }

    mutating func void(_ index: Int) -> String {
        guard holds[index].state == "open" else { return "hold_not_open" }
        holds[index].state = "voided"
        return "voided"
    }

    mutating func atomic(_ moves: [(Int, Int, Int64)]) -> String {
        var copy = self
        for (from, to, amount) in moves {
            let word = copy.move(from, to, amount)
            if word != "posted" { return word }
        }
        self = copy
        return "batch"
    }
}

@Suite("Holds and batches against a model", .onEachDatabasePath)
struct HoldPropertyTests {
    private static var seeds: UInt64 { DatabasePath.current == .direct ? 60 : 20 }
    private static let operations = 200
    private static let walletCount = 4

    @Test("60 seeds of 200 holds, captures, voids, transfers and atomic batches do what the model does, 20 of them once more through PgBouncer")
    func model() async throws {
        let fixture = try await MoneyFixture()
        for seed in 1...Self.seeds {
            var random = SeededGenerator(seed: seed)
            var wallets: [WalletID] = []
            for _ in 0..<Self.walletCount { wallets.append(try await fixture.openWallet()) }
            _ = try await fixture.post(wallets.map { MoneyFixture.deposit($0, 500) })
            var model = HoldModel(balances: Array(repeating: 500, count: wallets.count))
            var terms: [HoldTerms] = []
            var batch: [(request: PostingRequest, expected: String)] = []
            for operation in 0..<Self.operations {
                batch.append(Self.operation(&random, wallets, &model, &terms))
                guard batch.count >= Int.random(in: 1...24, using: &random) || operation == Self.operations - 1 else { continue }
                let outcomes = try await fixture.post(batch.map(\.request))
                #expect(outcomes.map(\.word) == batch.map(\.expected), "seed \(seed)")
                batch = []
            }
            for (wallet, index) in zip(wallets, wallets.indices) {
                let (balance, held) = (try await fixture.balance(wallet), try await fixture.held(wallet))
                #expect(balance == model.balances[index] && balance - held == model.available(index), "seed \(seed)")
            }
        }
        #expect(try await fixture.verify().findings == [])
    }

    private static func operation(
        _ random: inout SeededGenerator, _ wallets: [WalletID], _ model: inout HoldModel, _ terms: inout [HoldTerms]
    ) -> (PostingRequest, String) {
        let (from, to) = (Int.random(in: 0..<wallets.count, using: &random), Int.random(in: 0..<wallets.count, using: &random))
        let amount = Int64.random(in: 1...250, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<2: return (MoneyFixture.transfer(wallets[from], wallets[to], amount), model.move(from, to, amount))
        case 2..<4:
            let moves = (0..<Int.random(in: 1...4, using: &random)).map { step in ((from + step) % wallets.count, to, amount / Int64(step + 1) + 1) }
            let requests = moves.map { move in
                TransferRequest(sourceWalletID: wallets[move.0], destinationWalletID: wallets[move.1], money: MoneyFixture.money(move.2))
            }
            return (MoneyFixture.atomic(requests), model.atomic(moves))
        case 4..<7:
            let hold = MoneyFixture.newHold(wallets[from], wallets[to], amount)
            let word = model.place(from, to, amount)
            if word == "placed" { terms.append(hold) }
            return (MoneyFixture.place(hold), word)
        default:
            guard !terms.isEmpty else { return (MoneyFixture.transfer(wallets[from], wallets[to], amount), model.move(from, to, amount)) }
            let index = Int.random(in: 0..<terms.count, using: &random)
            let (part, isFinal) = ([nil, amount / 2 + 1].randomElement(using: &random)!, Bool.random(using: &random))
            if Int.random(in: 0..<4, using: &random) == 0 { return (MoneyFixture.void(terms[index]), model.void(index)) }
            return (MoneyFixture.capture(terms[index], part, isFinal: isFinal), model.capture(index, part, isFinal: isFinal))
        }
    }
}
