import Contracts
import StrictJSON
import TestSupport
import Testing

/// Holds, as their callers see them.
@Suite struct HTTPHoldTests {
    private func send(_ world: LedgerWorld, _ target: String, _ body: String, key: String = LedgerWorld.newKey()) async throws -> SignedAnswer {
        try await world.api.send(SignedCall("POST", target, body, as: world.user, key: key))
    }

    @Test func aHoldIsPlacedCapturedInPartsAndTheRestReleased() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let hold = try await world.hold(80, from: own, to: other)
        #expect(hold.status == 201 && hold.json["status"]?.stringValue == "open" && hold.json["remaining_amount"]?.integerValue == 80, "\(hold.text)")
        let balance = try await world.api.send(SignedCall("GET", "/v1/wallets/\(own)/balance", as: world.user))
        #expect(
            balance.json["balance"]?.integerValue == 100 && balance.json["held"]?.integerValue == 80 && balance.json["available"]?.integerValue == 20)
        #expect(try await world.transfer(21, from: own, to: other).code == "insufficient_funds")
        let first = try await send(world, "/v1/holds/\(hold.id)/capture", #"{"amount":30,"currency":"EUR","reference":"part"}"#, key: "part-1")
        #expect(
            first.status == 201 && first.json["captured_amount"]?.integerValue == 30 && first.json["remaining_amount"]?.integerValue == 50,
            "\(first.text)")
        #expect(first.json["transfer"]?["kind"]?.stringValue == "capture" && first.json["transfer"]?["hold_id"]?.stringValue == hold.id)
        #expect(try await send(world, "/v1/holds/\(hold.id)/capture", #"{"amount":51,"currency":"EUR"}"#).code == "capture_exceeds_hold")
        let last = try await send(world, "/v1/holds/\(hold.id)/capture", #"{"amount":20,"currency":"EUR","final":true}"#)
        #expect(last.json["status"]?.stringValue == "captured" && last.json["released_amount"]?.integerValue == 30, "\(last.text)")
        let again = try await send(world, "/v1/holds/\(hold.id)/capture", #"{"amount":30,"currency":"EUR","reference":"part"}"#, key: "part-1")
        #expect(again.isReplay && again.bytes == first.bytes)
        #expect(try await send(world, "/v1/holds/\(hold.id)/void", "{}").code == "hold_not_open")
        let read = try await world.api.send(SignedCall("GET", "/v1/holds/\(hold.id)", as: world.user))
        #expect(read.json["status"]?.stringValue == "captured" && read.json["captured_amount"]?.integerValue == 50, "\(read.text)")
        #expect(try await world.balance(own) == 50)
        #expect(try await world.balance(other) == 50)
        // What was captured can be refunded like any transfer, by who received it.
        let transfer = try #require(first.json["transfer"]?["id"]?.stringValue)
        #expect(try await send(world, "/v1/transfers/\(transfer)/refunds", "{}").status == 201)
        #expect(try await world.balance(own) == 80)
    }

    @Test func aHoldIsVoidedOnceAndExpiresByItself() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let hold = try await world.hold(100, from: own, to: other)
        let voided = try await send(world, "/v1/holds/\(hold.id)/void", "{}", key: "void-1")
        #expect(voided.status == 200 && voided.json["released_amount"]?.integerValue == 100, "\(voided.text)")
        let again = try await send(world, "/v1/holds/\(hold.id)/void", "{}", key: "void-1")
        #expect(again.isReplay && again.bytes == voided.bytes)
        let body = LedgerWorld.transfer(own, other, "100").dropLast() + #","expires_in":1}"#
        let short = try await send(world, "/v1/holds", String(body))
        #expect(short.status == 201, "\(short.text)")
        let isReleased = try await eventuallyReleased(world, own)
        #expect(isReleased)
        #expect(try await send(world, "/v1/holds/\(short.id)/capture", "{}").code == "hold_not_open")
        #expect(try await world.transfer(100, from: own, to: other).status == 201)
    }

    private func eventuallyReleased(_ world: LedgerWorld, _ wallet: String) async throws -> Bool {
        try await eventually(within: .seconds(20)) {
            try await world.api.send(SignedCall("GET", "/v1/wallets/\(wallet)/balance", as: world.staff)).json["held"]?.integerValue == 0
        }
    }

    @Test func somebodyElsesHoldIsNotThere() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let hold = try await world.hold(10, from: own, to: other)
        let (stranger, _) = try await world.api.newUser()
        for (method, target, body) in [
            ("GET", "/v1/holds/\(hold.id)", String?.none), ("POST", "/v1/holds/\(hold.id)/capture", "{}"),
            ("POST", "/v1/holds/\(hold.id)/void", "{}"),
            ("POST", "/v1/holds", LedgerWorld.transfer(own, other, "1")), ("GET", "/v1/holds/\(own)", nil),
        ] {
            let answer = try await world.api.send(SignedCall(method, target, body, as: stranger, key: method == "GET" ? nil : LedgerWorld.newKey()))
            #expect(answer.status == 404, "\(target): \(answer.text)")
        }
        #expect(try await world.hold(10, from: own, to: other, as: stranger).status == 404)
    }

    @Test(arguments: [
        (#","expires_in":0}"#, "/expires_in"), (#","expires_in":2678401}"#, "/expires_in"), (#","expires_in":1.5}"#, "/expires_in"),
        (#","expires_in":"1"}"#, "/expires_in"), (#","reference":"r"}"#, "/reference"),
    ])
    func whatAHoldCantBe(tail: String, pointer: String) async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let answer = try await send(world, "/v1/holds", LedgerWorld.transfer(own, other, "1").dropLast() + tail)
        #expect(answer.status == 400 && answer.pointers == [pointer], "\(answer.text)")
        let hold = try await world.hold(10, from: own, to: other)
        let capture = try await send(world, "/v1/holds/\(hold.id)/capture", #"{"final":"yes"}"#)
        #expect(capture.status == 400 && capture.pointers == ["/final"], "\(capture.text)")
    }
}
