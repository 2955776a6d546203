import Contracts

/// Requests that no service of the fleet has sent are refused before anything else is looked at.
struct DemoSignatureSteps: Sendable {
    let ledger: DemoService
    let report: DemoReport
    let people: DemoPeople

    func callAsFunction(_ wallets: DemoWallets) async throws {
        let transfer = ledger.request(
            "POST", "/v1/transfers", token: people.first.token, key: DemoKey.fresh(), body: wallets.transfer(1))
        try await report.step("an unsigned request is refused, whoever's token it brings") { step in
            let answer = try await ledger.send(transfer)
            try step.expect(answer, .signatureMissing)
            return answer.summary
        }
        try await report.step("a body altered on its way is refused") { step in
            var tampered = try ledger.signed(transfer, by: people.first.signer)
            tampered.body = wallets.transfer(9).wireBytes()
            let answer = try await ledger.send(tampered)
            try step.expect(answer, .digestMismatch)
            return answer.summary
        }
        try await report.step("the same signed bytes sent twice are refused the second time") { step in
            let balance = ledger.request("GET", "/v1/wallets/\(wallets.first)/balance", token: people.first.token)
            let signed = try ledger.signed(balance, by: people.first.signer)
            try step.expect(try await ledger.send(signed), status: 200)
            let answer = try await ledger.send(signed)
            try step.expect(answer, .signatureReplayed)
            return answer.summary
        }
    }
}
