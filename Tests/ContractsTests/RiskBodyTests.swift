import Contracts
import StrictJSON
import Testing

@Suite("Bodies of ops-risk")
struct RiskBodyTests {
    @Test("an alert's body has the members of its rule, and of its resolution once it has one")
    func alerts() throws {
        func names(_ body: RiskAlertBody) throws -> [String]? { try JSONParser.parse(body.wireBytes()).objectValue?.map(\.name) }
        #expect(
            try names(Samples.openAlert)
                == ["id", "status", "rule", "threshold", "wallet_id", "transfer_id", "amount", "currency", "occurred_at", "raised_at"])
        #expect(
            try names(Samples.alert) == [
                "id", "status", "rule", "count", "limit", "window_seconds", "wallet_id", "transfer_id", "amount", "currency", "occurred_at",
                "raised_at", "resolution", "note", "resolved_by", "resolved_at",
            ])
        #expect(Samples.openAlert.status == .open)
        #expect(Samples.alert.status == .resolved)
    }

    @Test("a resolution is read, with and without a note, and written as it was read")
    func resolutions() throws {
        for request in [ResolveRiskAlertRequest(resolution: .confirmed), .init(resolution: .falsePositive, note: "é \"x\"")] {
            #expect(try ResolveRiskAlertRequest(wireBytes: request.wireBytes()) == request)
        }
        #expect(
            try ResolveRiskAlertRequest(wireBytes: Array(#"{"resolution":"confirmed","note":null}"#.utf8)) == .init(resolution: .confirmed))
    }

    @Test(
        "a bad resolution is refused",
        arguments: [
            BadBody("{}", .malformedRequest, "/resolution"), BadBody(#"{"resolution":null}"#, .malformedRequest, "/resolution"),
            BadBody(#"{"resolution":"maybe"}"#, .malformedRequest, "/resolution"),
            BadBody(#"{"resolution":true}"#, .malformedRequest, "/resolution"),
            BadBody(#"{"resolution":"confirmed","note":""}"#, .malformedRequest, "/note"),
            BadBody(#"{"resolution":"confirmed","note":"\#(String(repeating: "é", count: 501))"}"#, .malformedRequest, "/note"),
            BadBody(#"{"resolution":"confirmed","by":"me"}"#, .unknownField, "/by"),
        ])
    func badResolution(body: BadBody) {
        body.check(ResolveRiskAlertRequest.self)
    }
}
