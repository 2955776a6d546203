import AccessTokens
import Contracts
import Postgres
import ServiceRuntime
import StrictJSON
import TestSupport
import Testing

/// Request ids, traces, deadlines and logs.
@Suite struct HTTPHeaderTests {
    @Test func theCallersRequestIDComesBackAndNamesTheProblem() async throws {
        let world = try await LedgerWorld.new()
        let id = "request-\(LedgerWorld.newKey())"
        let targets = ["/v1/wallets/\(try await world.wallet())", "/v1/wallets/wal_01900000000000000000000000", "/v1/nothing"]
        for (target, status) in zip(targets, [200, 404, 404]) {
            var call = SignedCall("GET", target, as: world.user)
            call.fields["x-request-id"] = id
            let answer = try await world.api.send(call)
            #expect(answer.status == status && answer.fields["x-request-id"] == id)
            if status == 404 { #expect(answer.json["instance"]?.stringValue == id) }
        }
    }

    @Test(arguments: ["two words", String(repeating: "i", count: 129)])
    func aRequestIDThatWouldSpoilTheLogIsReplaced(id: String) async throws {
        let world = try await LedgerWorld.new()
        var call = SignedCall("GET", "/v1/wallets/\(try await world.wallet())", as: world.user)
        call.fields["x-request-id"] = id
        let answer = try await world.api.send(call)
        #expect(answer.status == 200 && answer.fields["x-request-id"] != id)
    }

    @Test func nothingIsDoneForACallerWhoHasGivenUp() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        var call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: "late")
        for deadline in [LedgerAPI.now * 1_000 - 1, 1] {
            call.fields["florin-deadline"] = String(deadline)
            let answer = try await world.api.send(call)
            #expect(answer.status == 503 && answer.code == "unavailable" && answer.fields["retry-after"] == "1", "\(answer.text)")
        }
        #expect(try await world.balance(own) == 100)
        call.fields["florin-deadline"] = String((LedgerAPI.now + 30) * 1_000)
        let answer = try await world.api.send(call)
        #expect(answer.status == 201 && !answer.isReplay)
    }

    @Test(arguments: ["soon", "", "-5", "+7", "1.5", "9223372036854775807"]) func aDeadlineThatIsNoTimeIsRefused(deadline: String) async throws {
        let world = try await LedgerWorld.new()
        var call = SignedCall("GET", "/v1/wallets/\(try await world.wallet())", as: world.user)
        call.fields["florin-deadline"] = deadline
        let answer = try await world.api.send(call)
        #expect(answer.status == 400 && answer.code == "malformed_request", "\(answer.text)")
    }

    @Test func theCallersTraceGoesOnInTheEvents() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let traceID = "0af7651916cd43dd8448eb211c80319c"
        let parent = "00-\(traceID)-b7ad6b7169203331-01"
        let calls = [
            SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: "traced"),
            SignedCall("POST", "/v1/wallets", #"{"currency":"EUR"}"#, as: world.user),
            SignedCall("POST", "/v1/wallets/\(other)/freeze", #"{"block":"all","reason":"test"}"#, as: world.staff),
        ]
        for (call, type) in zip(calls, ["transfer.posted", "wallet.opened", "wallet.status_changed"]) {
            var call = call
            call.fields["traceparent"] = parent
            let answer = try await world.api.send(call)
            let subject = answer.json["wallet_id"]?.stringValue ?? answer.id
            let kept = try await world.api.query { session in
                try session.query("SELECT type, traceparent FROM outbox_events WHERE subject = \(subject) ORDER BY id DESC LIMIT 1").map {
                    let (type, traceparent) = try $0.decode(String.self, String?.self)
                    return [type, traceparent ?? ""]
                }.first
            }
            let row = try #require(kept)
            #expect(row[0] == "ledger.\(type).v1")
            let parts = row[1].split(separator: "-")
            #expect(parts.count == 4 && parts[1] == traceID && parts[3] == "01", "\(row[1])")
            #expect(row[1] != parent, "the ledger's own span is the parent of what follows")
        }
    }

    @Test func everyRefusalIsOneLineUnderItsRequestID() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 5), try await world.wallet())
        let poor = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "50"), as: world.user, key: "poor")
        var unsigned = SignedCall("GET", "/v1/wallets/\(own)", as: world.user)
        unsigned.isSigned = false
        let calls = [
            (poor, "insufficient_funds"), (unsigned, "signature_missing"),
            (SignedCall("GET", "/v1/wallets/\(own)", as: Party(caller: "mobile-bff", token: nil)), "token_missing"),
            (SignedCall("GET", "/v1/nothing", as: world.user), "not_found"),
            (SignedCall("DELETE", "/v1/wallets/\(own)", as: world.user), "method_not_allowed"),
        ]
        for (call, code) in calls {
            var call = call
            let id = LedgerWorld.newKey()
            call.fields["x-request-id"] = id
            #expect(try await world.api.send(call).code == code)
            let lines = world.api.log.lines(ofRequest: id)
            #expect(lines.count == 1 && lines[0].contains(code) && lines[0].contains("trace_id"), "\(code): \(lines)")
            #expect(lines.allSatisfy { (try? JSONParser.parse($0.utf8)) != nil })
            #expect(lines.allSatisfy { !$0.contains(#""level":"debug""#) })
        }
    }

    @Test func successesAreLoggedAtDebugOnly() async throws {
        let world = try await LedgerWorld.new()
        var call = SignedCall("GET", "/v1/wallets/\(try await world.wallet())", as: world.user)
        let id = LedgerWorld.newKey()
        call.fields["x-request-id"] = id
        #expect(try await world.api.send(call).status == 200)
        let lines = world.api.log.lines(ofRequest: id)
        #expect(lines.count == 1 && lines[0].contains(#""level":"debug""#), "\(lines)")
    }

    @Test func noSecretReachesTheLog() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 5), try await world.wallet())
        let forged = try await world.api.credentials.forger.token(for: .user(world.userID), scopes: ["wallet"], now: LedgerAPI.now)
        let key = LedgerWorld.newKey()
        for token in [world.user.token, forged, "nonsense-token-text"] {
            let party = Party(caller: "mobile-bff", token: token)
            for amount in ["5", "500", "x"] {
                let call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, amount), as: party, key: key + amount)
                _ = try await world.api.send(call)
            }
        }
        let text = world.api.log.text
        #expect(text.contains("request refused"))
        let tokens = [world.user.token, forged].compactMap(\.self).flatMap { $0.split(separator: ".").suffix(2).map(String.init) }
        for secret in tokens + world.api.credentials.secrets + [
            "nonsense-token-text", TestDatabase.rolePassword, "Bearer ", "florin=:", "postgres://", key,
        ] {
            #expect(!text.contains(secret), "the log holds \(secret)")
        }
    }
}
