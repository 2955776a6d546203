import Contracts
import FoundationEssentials
import StrictJSON

/// Money moves, once, and not further than the rules let it.
struct DemoMoneySteps: Sendable {
    let ledger: DemoService
    let report: DemoReport
    let people: DemoPeople

    /// Two wallets of two users, opened by a client and filled by it.
    func open() async throws -> DemoWallets {
        var wallets = DemoWallets(first: "", second: "")
        try await report.step("a client opens a wallet for each of two users") { step in
            wallets.first = try await open(people.firstID, step)
            wallets.second = try await open(people.secondID, step)
            return "\(wallets.first), \(wallets.second)"
        }
        let first = wallets.first
        try await report.step("a deposit of 100.00 EUR reaches the first") { step in
            let body = DemoBodies.deposit(to: first, amount: 100_00)
            let answer = try await ledger.call(people.client, "POST", "/v1/deposits", key: DemoKey.fresh(), body: body)
            try step.expect(answer, status: 201)
            try await expectBalance(100_00, of: first, for: people.first, step)
            return nil
        }
        return wallets
    }

    /// A transfer, and what happens when it is asked for again; its id.
    func transfer(_ wallets: DemoWallets) async throws -> String {
        let key = DemoKey.fresh()
        let body = DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 25_00)
        var posted: DemoAnswer?
        try await report.step("the first user pays 25.00 EUR to the second") { step in
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: key, body: body)
            try step.expect(answer, status: 201)
            try await expectBalance(75_00, of: wallets.first, for: people.first, step)
            try await expectBalance(25_00, of: wallets.second, for: people.second, step)
            posted = answer
            return "75.00 and 25.00 EUR"
        }
        let first = posted
        try await report.step("the same request again gets the same answer and moves nothing") { step in
            let again = try await ledger.call(people.first, "POST", "/v1/transfers", key: key, body: body)
            try step.expect(again, status: 201)
            try step.expect("Idempotency-Replayed:", true, again.isReplayed)
            try step.expect("the same bytes:", true, again.body == first?.body)
            try await expectBalance(75_00, of: wallets.first, for: people.first, step)
            return "Idempotency-Replayed: true, still 75.00 EUR"
        }
        try await report.step("the same key with another amount is refused") { step in
            let other = DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 26_00)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: key, body: other)
            try step.expect(answer, .idempotencyKeyReused)
            let pointer = answer.json["errors"]?[0]?["pointer"]?.stringValue ?? "none"
            try step.expect("the differing field", "/amount", pointer)
            return "\(answer.summary) at \(pointer)"
        }
        return posted?.json["id"]?.stringValue ?? ""
    }

    /// Too much money, money back, and somebody else's wallet.
    func limits(_ wallets: DemoWallets, transfer: String) async throws {
        try await report.step("a transfer beyond the balance is refused") { step in
            let body = DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 75_01)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: body)
            try step.expect(answer, .insufficientFunds)
            try await expectBalance(75_00, of: wallets.first, for: people.first, step)
            return answer.summary
        }
        try await report.step("the receiver refunds 10.00 EUR of it") { step in
            let target = "/v1/transfers/\(transfer)/refunds"
            let answer = try await ledger.call(
                people.second, "POST", target, key: DemoKey.fresh(), body: DemoBodies.refund(amount: 10_00))
            try step.expect(answer, status: 201)
            try await expectBalance(85_00, of: wallets.first, for: people.first, step)
            try await expectBalance(15_00, of: wallets.second, for: people.second, step)
            return "85.00 and 15.00 EUR"
        }
        try await report.step("another user's wallet is not there") { step in
            let answer = try await ledger.call(people.second, "GET", "/v1/wallets/\(wallets.first)")
            try step.expect(answer, .notFound)
            return answer.summary
        }
    }

    /// An operator freezes and unfreezes.
    func freeze(_ wallets: DemoWallets) async throws {
        let body = DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 1_00)
        try await report.step("an operator freezes the wallet, and a debit is refused") { step in
            let frozen = try await ledger.call(
                people.staff, "POST", "/v1/wallets/\(wallets.first)/freeze", body: DemoBodies.freezeDebits(reason: "demo"))
            try step.expect(frozen, status: 200)
            try step.expect("status", WalletStatus.frozenDebits.rawValue, try step.string("status", of: frozen))
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: body)
            try step.expect(answer, .walletFrozen)
            return answer.summary
        }
        try await report.step("unfrozen, it pays again") { step in
            let open = try await ledger.call(
                people.staff, "POST", "/v1/wallets/\(wallets.first)/unfreeze", body: DemoBodies.reason("demo"))
            try step.expect(open, status: 200)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: body)
            try step.expect(answer, status: 201)
            return nil
        }
    }

    private func open(_ owner: UserID, _ step: DemoStep) async throws -> String {
        let answer = try await ledger.call(
            people.client, "POST", "/v1/wallets", key: DemoKey.fresh(), body: DemoBodies.openWallet(owner: owner))
        try step.expect(answer, status: 201)
        return try step.string("id", of: answer)
    }

    private func expectBalance(_ amount: Int64, of wallet: String, for caller: DemoCaller, _ step: DemoStep) async throws {
        let answer = try await ledger.call(caller, "GET", "/v1/wallets/\(wallet)/balance")
        try step.expect(answer, status: 200)
        try step.expect("a balance of", amount, answer.json["balance"]?.integerValue ?? .min)
    }
}
