import Contracts

/// Money set aside, and many transfers in one request. Begins and ends with what the steps before left in the wallets.
struct DemoHoldSteps: Sendable {
    let ledger: DemoService
    let report: DemoReport
    let people: DemoPeople

    func hold(_ wallets: DemoWallets) async throws {
        let hold = try await report.find(
            "the first user sets 40.00 EUR aside: the balance stays, less is available"
        ) { step -> (found: HoldID, shown: String?) in
            let before = try await available(wallets.first, step)
            let body = PlaceHoldRequest(sourceWalletID: wallets.first, destinationWalletID: wallets.second, money: .euros(40_00))
            let answer = try await ledger.call(people.first, "POST", "/v1/holds", key: DemoKey.fresh(), body: body)
            let hold = try step.read(answer, status: 201, as: HoldBody.self)
            try step.expect("available", before - 40_00, try await available(wallets.first, step))
            return (hold.id, "\(hold.id)")
        }
        try await report.step("15.00 EUR of it are captured, finally: the rest is available again") { step in
            let before = try await available(wallets.first, step)
            let captured = try step.read(try await capture(15_00, of: hold), status: 201, as: HoldCapturedBody.self)
            try step.expect("released", 25_00, captured.releasedMinor)
            try step.expect("available", before + 25_00, try await available(wallets.first, step))
            return nil
        }
        try await report.step("what has ended is captured no more") { step in
            let answer = try await capture(1, of: hold)
            try step.expect(answer, .holdNotOpen)
            return answer.summary
        }
    }

    func batch(_ wallets: DemoWallets) async throws {
        let cents = wallets.transfer(1)
        let tooMuch = wallets.transfer(1_000_000_00)
        try await report.step("a batch of 100 transfers is one request") { step in
            let body = TransferBatchRequest.independent(Array(repeating: .known(cents), count: 100))
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers/batch", key: DemoKey.fresh(), body: body)
            let results = try step.read(answer, status: 200, as: TransferBatchBody.self).results
            let posted = results.count { if case .posted = $0 { true } else { false } }
            try step.expect("posted", 100, posted)
            return "100 posted"
        }
        try await report.step("an atomic batch with one transfer beyond the balance posts nothing") { step in
            let before = try await available(wallets.first, step)
            let body = TransferBatchRequest.atomic([cents, cents, tooMuch])
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers/batch", key: DemoKey.fresh(), body: body)
            try step.expect(answer, .insufficientFunds)
            try step.expect("available", before, try await available(wallets.first, step))
            return "\(answer.summary) at \(answer.problem?.errors.first?.pointer ?? "none")"
        }
    }

    private func capture(_ cents: Int64, of hold: HoldID) async throws -> DemoAnswer {
        try await ledger.call(
            people.first, "POST", "/v1/holds/\(hold)/capture", key: DemoKey.fresh(),
            body: CaptureHoldRequest(money: .euros(cents), isFinal: true))
    }

    private func available(_ wallet: WalletID, _ step: DemoStep) async throws -> Int64 {
        let answer = try await ledger.call(people.first, "GET", "/v1/wallets/\(wallet)/balance")
        return try step.read(answer, status: 200, as: BalanceBody.self).availableMinor
    }
}
