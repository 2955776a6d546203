import Contracts
import StrictJSON

/// Money set aside, and many transfers in one request. Begins and ends with what the steps before left in the wallets.
struct DemoHoldSteps: Sendable {
    let ledger: DemoService
    let report: DemoReport
    let people: DemoPeople

    func hold(_ wallets: DemoWallets) async throws {
        var id = ""
        try await report.step("the first user sets 40.00 EUR aside: the balance stays, less is available") { step in
            let before = try await available(wallets.first, step)
            let answer = try await ledger.call(
                people.first, "POST", "/v1/holds", key: DemoKey.fresh(),
                body: DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 40_00))
            try step.expect(answer, status: 201)
            try step.expect("available", before - 40_00, try await available(wallets.first, step))
            id = try step.string("id", of: answer)
            return id
        }
        let hold = id
        try await report.step("15.00 EUR of it are captured, finally: the rest is available again") { step in
            let before = try await available(wallets.first, step)
            let answer = try await ledger.call(
                people.first, "POST", "/v1/holds/\(hold)/capture", key: DemoKey.fresh(), body: DemoBodies.finalCapture(amount: 15_00))
            try step.expect(answer, status: 201)
            try step.expect("released", 25_00, answer.json["released_amount"]?.integerValue ?? .min)
            try step.expect("available", before + 25_00, try await available(wallets.first, step))
            return nil
        }
        try await report.step("what has ended is captured no more") { step in
            let answer = try await ledger.call(
                people.first, "POST", "/v1/holds/\(hold)/capture", key: DemoKey.fresh(), body: DemoBodies.finalCapture(amount: 1))
            try step.expect(answer, .holdNotOpen)
            return answer.summary
        }
    }

    func batch(_ wallets: DemoWallets) async throws {
        let cents = DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 1)
        let tooMuch = DemoBodies.transfer(from: wallets.first, to: wallets.second, amount: 1_000_000_00)
        try await report.step("a batch of 100 transfers is one request") { step in
            let body = DemoBodies.batch(.independent, Array(repeating: cents, count: 100))
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers/batch", key: DemoKey.fresh(), body: body)
            try step.expect(answer, status: 200)
            let posted = (answer.json["results"]?.arrayValue ?? []).count { $0["status"]?.integerValue == 201 }
            try step.expect("posted", 100, posted)
            return "100 posted"
        }
        try await report.step("an atomic batch with one transfer beyond the balance posts nothing") { step in
            let before = try await available(wallets.first, step)
            let body = DemoBodies.batch(.atomic, [cents, cents, tooMuch])
            let answer = try await ledger.call(people.first, "POST", "/v1/transfers/batch", key: DemoKey.fresh(), body: body)
            try step.expect(answer, .insufficientFunds)
            try step.expect("available", before, try await available(wallets.first, step))
            return "\(answer.summary) at \(answer.json["errors"]?[0]?["pointer"]?.stringValue ?? "none")"
        }
    }

    private func available(_ wallet: String, _ step: DemoStep) async throws -> Int64 {
        let answer = try await ledger.call(people.first, "GET", "/v1/wallets/\(wallet)/balance")
        try step.expect(answer, status: 200)
        return answer.json["available"]?.integerValue ?? .min
    }
}
