import Contracts
import FoundationEssentials

/// Money moves, once, and not further than the rules let it.
struct DemoMoneySteps: Sendable {
    let ledger: DemoService
    let report: DemoReport
    let people: DemoPeople

    /// Two wallets of two users, opened by a client and filled by it.
    func open() async throws -> DemoWallets {
        let wallets = try await report.find("a client opens a wallet for each of two users") { step -> (found: DemoWallets, shown: String?) in
            let wallets = DemoWallets(first: try await open(people.firstID, step), second: try await open(people.secondID, step))
            return (wallets, "\(wallets.first), \(wallets.second)")
        }
        try await report.step("a deposit of 100.00 EUR reaches the first") { step in
            let body = FundingRequest(walletID: wallets.first, money: .euros(100_00))
            let answer = try await ledger.call(people.client, "POST", "/v1/deposits", key: DemoKey.fresh(), body: body)
            try step.expect(answer, status: 201)
            try await expectBalance(100_00, of: wallets.first, for: people.first, step)
            return nil
        }
        return wallets
    }

    /// A transfer, and what happens when it is asked for again; its id.
    func transfer(_ wallets: DemoWallets) async throws -> TransferID {
        let key = DemoKey.fresh()
        let body = wallets.transfer(25_00)
        let first = try await report.find("the first user pays 25.00 EUR to the second") { step -> (found: DemoAnswer, shown: String?) in
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: key, body: body)
            try step.expect(answer, status: 201)
            try await expectBalance(75_00, of: wallets.first, for: people.first, step)
            try await expectBalance(25_00, of: wallets.second, for: people.second, step)
            return (answer, "75.00 and 25.00 EUR")
        }
        let transfer = try await report.find(
            "the same request again gets the same answer and moves nothing"
        ) { step -> (found: TransferID, shown: String?) in
            let again = try await ledger.call(people.first, "POST", "/v1/transfers", key: key, body: body)
            let transfer = try step.read(again, status: 201, as: TransferBody.self)
            try step.expect("Idempotency-Replayed:", true, again.isReplayed)
            try step.expect("the same bytes:", true, again.body == first.body)
            try await expectBalance(75_00, of: wallets.first, for: people.first, step)
            return (transfer.id, "Idempotency-Replayed: true, still 75.00 EUR")
        }
        try await report.step("the same key with another amount is refused") { step in
            let other = wallets.transfer(26_00)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: key, body: other)
            try step.expect(answer, .idempotencyKeyReused)
            let pointer = answer.problem?.errors.first?.pointer ?? "none"
            try step.expect("the differing field", "/amount", pointer)
            return "\(answer.summary) at \(pointer)"
        }
        return transfer
    }

    /// Too much money, money back, and somebody else's wallet.
    func limits(_ wallets: DemoWallets, transfer: TransferID) async throws {
        try await report.step("a transfer beyond the balance is refused") { step in
            let body = wallets.transfer(75_01)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: body)
            try step.expect(answer, .insufficientFunds)
            try await expectBalance(75_00, of: wallets.first, for: people.first, step)
            return answer.summary
        }
        try await report.step("the receiver refunds 10.00 EUR of it") { step in
            let target = "/v1/transfers/\(transfer)/refunds"
            let answer = try await ledger.call(
                people.second, "POST", target, key: DemoKey.fresh(), body: RefundRequest(money: .euros(10_00)))
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
        let body = wallets.transfer(1_00)
        try await report.step("an operator freezes the wallet, and a debit is refused") { step in
            let frozen = try await ledger.call(
                people.staff, "POST", "/v1/wallets/\(wallets.first)/freeze", body: FreezeWalletRequest(block: .debits, reason: "demo"))
            try step.expect("status", WalletStatus.frozenDebits, try step.read(frozen, status: 200, as: WalletChangeBody.self).status)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: body)
            try step.expect(answer, .walletFrozen)
            return answer.summary
        }
        try await report.step("unfrozen, it pays again") { step in
            let open = try await ledger.call(
                people.staff, "POST", "/v1/wallets/\(wallets.first)/unfreeze", body: ReasonRequest(reason: "demo"))
            try step.expect(open, status: 200)
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers", key: DemoKey.fresh(), body: body)
            try step.expect(answer, status: 201)
            return nil
        }
    }

    private func open(_ owner: UserID, _ step: DemoStep) async throws -> WalletID {
        let body = OpenWalletRequest(ownerID: owner, currency: Money.euros(1).currency)
        let answer = try await ledger.call(people.client, "POST", "/v1/wallets", key: DemoKey.fresh(), body: body)
        return try step.read(answer, status: 201, as: WalletOpenedBody.self).id
    }

    private func expectBalance(_ amount: Int64, of wallet: WalletID, for caller: DemoCaller, _ step: DemoStep) async throws {
        let answer = try await ledger.call(caller, "GET", "/v1/wallets/\(wallet)/balance")
        try step.expect("a balance of", amount, try step.read(answer, status: 200, as: BalanceBody.self).balanceMinor)
    }
}
