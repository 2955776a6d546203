import Contracts
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import OpsRisk

/// Resolving an alert: once, with its event, repeatable, and refused in other words.
@Suite struct RiskResolveTests {
    private static let note = "hunter2 called, it was their landlord"
    private static let noted = #"{"resolution":"false_positive","note":"\#(note)"}"#

    private func events(of alert: String, _ api: RiskAPI) async throws -> [(type: String, partitionKey: String, traceparent: String?, data: String)] {
        try await api.fixture.events().filter { $0.subject == alert }.map { ($0.type, $0.partitionKey, $0.traceparent, $0.data) }
    }

    @Test func anAlertIsResolvedOnceAndTheEventSaysSoWithoutTheNote() async throws {
        let api = try await RiskAPI.shared()
        let user = RiskAPI.newUserID()
        let wallet = RiskSamples.newWallet()
        let alert = try await api.alert(of: wallet)
        var call = SignedCall("POST", "/v1/risk/alerts/\(alert)/resolve", Self.noted, as: try await api.staff(caller: "fleetctl", user))
        call.fields["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let answer = try await api.send(call)
        #expect(answer.status == 200 && !answer.isReplay, "\(answer.text)")
        #expect(answer.json["status"]?.stringValue == "resolved" && answer.json["resolution"]?.stringValue == "false_positive")
        #expect(answer.json["resolved_by"]?.stringValue == user && answer.json["note"]?.stringValue == Self.note)
        let events = try await events(of: alert, api)
        #expect(events.map(\.type) == ["risk.alert.raised.v1", "risk.alert.resolved.v1"])
        let event = try #require(events.last)
        #expect(event.partitionKey == "\(wallet)" && event.traceparent?.contains("4bf92f3577b34da6a3ce929d0e0e4736") == true)
        let data = try JSONParser.parse(event.data.utf8)
        #expect(data["resolved_by"]?.stringValue == user && data["resolution"]?.stringValue == "false_positive")
        #expect(data["resolved_at"] == answer.json["resolved_at"] && data["note"] == nil)
        #expect(!event.data.contains("hunter2") && !api.log.text.contains("hunter2"))
        let through = try await api.fixture.query("SELECT resolved_through FROM risk_alerts WHERE id = '\(try #require(AlertID(alert)).uuid)'") {
            row in
            try row.decode(String.self)
        }
        #expect(through == ["fleetctl"])
    }

    @Test func theSameWordsGetTheSameAnswerFromWhomeverTheyCome() async throws {
        let api = try await RiskAPI.shared()
        let (staff, colleague) = (try await api.staff(), try await api.staff(caller: "fleetctl"))
        let alert = try await api.alert()
        let first = try await api.resolve(alert, Self.noted, as: staff)
        for party in [staff, colleague] {
            for key in [nil, "same-\(alert)"] {
                let again = try await api.resolve(alert, Self.noted, as: party, key: key)
                #expect(again.status == 200 && again.bytes == first.bytes && !again.isReplay, "\(again.text)")
            }
        }
        #expect(try await events(of: alert, api).count == 2)
    }

    @Test(arguments: [#"{"resolution":"confirmed"}"#, #"{"resolution":"false_positive"}"#, #"{"resolution":"false_positive","note":"another"}"#])
    func otherWordsAreRefused(body: String) async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let alert = try await api.alert()
        let first = try await api.resolve(alert, Self.noted, as: staff)
        let refused = try await api.resolve(alert, body, as: staff)
        #expect(refused.status == 409 && refused.code == "alert_not_open", "\(refused.text)")
        #expect(try await api.resolve(alert, Self.noted, as: staff).bytes == first.bytes)
        #expect(try await events(of: alert, api).count == 2)
    }

    @Test func aNoteThatIsNullIsNone() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let alert = try await api.alert()
        let resolved = try await api.resolve(alert, #"{"resolution":"confirmed","note":null}"#, as: staff)
        #expect(resolved.status == 200 && resolved.json["note"] == nil, "\(resolved.text)")
        #expect(try await api.resolve(alert, as: staff).bytes == resolved.bytes)
    }

    @Test func aKeyRepeatsItsAnswerDoneOrRefused() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let alert = try await api.alert()
        let first = try await api.resolve(alert, Self.noted, as: staff, key: "done")
        #expect(first.status == 200 && !first.isReplay)
        let again = try await api.resolve(alert, #" { "note" : "\#(Self.note)" , "resolution":"false_positive" } "#, as: staff, key: "done")
        #expect(again.status == 200 && again.isReplay && again.bytes == first.bytes)
        let refused = try await api.resolve(alert, as: staff, key: "refused")
        #expect(refused.status == 409 && !refused.isReplay)
        let refusedAgain = try await api.resolve(alert, as: staff, key: "refused")
        #expect(refusedAgain.status == 409 && refusedAgain.isReplay && refusedAgain.bytes == refused.bytes)
        #expect(try await events(of: alert, api).count == 2)
    }

    @Test func aKeyOfAnotherRequestIsRefusedByWhatDiffers() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let (alert, other) = (try await api.alert(), try await api.alert())
        #expect(try await api.resolve(alert, Self.noted, as: staff, key: "k").status == 200)
        let cases = [
            (alert, #"{"resolution":"confirmed"}"#, "/resolution"), (alert, #"{"resolution":"false_positive"}"#, "/note"), (other, Self.noted, "/id"),
        ]
        for (id, body, pointer) in cases {
            let answer = try await api.resolve(id, body, as: staff, key: "k")
            #expect(answer.status == 422 && answer.code == "idempotency_key_reused" && answer.pointers == [pointer], "\(answer.text)")
        }
        // In another scope it is another key.
        #expect(try await api.resolve(other, Self.noted, as: try await api.staff(), key: "k").status == 200)
    }

    @Test func ofManyAtOnceOneResolves() async throws {
        let api = try await RiskAPI.shared()
        let alert = try await api.alert()
        let parties = [try await api.staff(), try await api.staff(caller: "fleetctl")]
        let bodies = [#"{"resolution":"confirmed"}"#, Self.noted]
        let answers = try await withThrowingTaskGroup(of: SignedAnswer.self) { group in
            for index in 0..<12 {
                group.addTask { try await api.resolve(alert, bodies[index % 2], as: parties[index / 2 % 2], key: index % 3 == 0 ? "race" : nil) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let done = answers.filter { $0.status == 200 }
        #expect(Set(done.map(\.bytes)).count == 1)
        #expect(answers.allSatisfy { [200, 409, 422].contains($0.status) }, "\(answers.map(\.status))")
        #expect(try await events(of: alert, api).count == 2)
    }

    @Test func whatDoesNotExistIs404AndKeepsNoKey() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        for id in ["alr_01900000000000000000000000", "wal_01900000000000000000000000", "nonsense", "alr_01900000000000000000000000%20"] {
            let answer = try await api.resolve(id, as: staff, key: "unknown")
            #expect(answer.status == 404 && answer.code == "not_found", "\(id): \(answer.text)")
        }
        #expect(try await api.resolve(try await api.alert(), as: staff, key: "unknown").status == 200)
    }

    @Test(
        arguments: [
            ("not json", 400, "malformed_request"), ("", 400, "malformed_request"), ("null", 400, "malformed_request"),
            ("{}", 400, "malformed_request"), (#"{"resolution":"maybe"}"#, 400, "malformed_request"),
            (#"{"resolution":"confirmed","resolution":"confirmed"}"#, 400, "malformed_request"),
            (#"{"resolution":"confirmed","by":"me"}"#, 400, "unknown_field"), (#"{"resolution":"confirmed","note":""}"#, 400, "malformed_request"),
            (#"{"resolution":"confirmed","note":"a\u0000b"}"#, 400, "malformed_request"),
            (#"{"resolution":"confirmed","note":"\#(String(repeating: "n", count: 501))"}"#, 400, "malformed_request"),
            (#"{"resolution":"confirmed","note":"\#(String(repeating: "n", count: 70_000))"}"#, 413, "body_too_large"),
        ])
    func aBadBodyIsRefused(body: String, status: Int, code: String) async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let alert = try await api.alert()
        let answer = try await api.resolve(alert, body, as: staff, key: "bad")
        #expect(answer.status == status && answer.code == code, "\(answer.text)")
        #expect(try await api.resolve(alert, as: staff, key: "bad").status == 200)
    }

    @Test func aBadKeyOrMediaTypeOrQueryIsRefused() async throws {
        let api = try await RiskAPI.shared()
        let staff = try await api.staff()
        let alert = try await api.alert()
        #expect(try await api.resolve(alert, as: staff, key: String(repeating: "k", count: 256)).code == "idempotency_key_missing")
        var form = SignedCall("POST", "/v1/risk/alerts/\(alert)/resolve", #"{"resolution":"confirmed"}"#, as: staff)
        form.mediaType = "text/plain"
        #expect(try await api.send(form).status == 415)
        let query = SignedCall("POST", "/v1/risk/alerts/\(alert)/resolve?force=1", #"{"resolution":"confirmed"}"#, as: staff)
        #expect(try await api.send(query).code == "unknown_field")
        #expect(try await api.send(SignedCall("DELETE", "/v1/risk/alerts/\(alert)/resolve", as: staff)).status == 405)
        #expect(try await events(of: alert, api).count == 1)
    }
}
