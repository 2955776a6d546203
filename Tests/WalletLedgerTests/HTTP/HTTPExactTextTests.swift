import Contracts
import StrictJSON
import TestSupport
import Testing

/// Texts are the same when their bytes are, as in Postgres; Swift's `==` takes canonically equivalent ones for the same.
@Suite("Texts are compared by their bytes")
struct HTTPExactTextTests {
    /// Pairs that Unicode calls canonically equivalent: composed and decomposed, marks in another order, and characters that decompose
    /// to one other.
    static let pairs = [
        ("caf\u{E9}", "cafe\u{301}"), ("K1", "\u{212A}1"), ("\u{C5}", "\u{212B}"), ("\u{C5}", "A\u{30A}"), ("a;b", "a\u{37E}b"),
        ("\u{3A9}", "\u{2126}"), ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{AC00}", "\u{1100}\u{1161}"), ("\u{8C48}", "\u{F900}"),
    ]

    @Test("a key belongs to a reference as it is spelled", arguments: pairs)
    func keys(one: String, other: String) async throws {
        #expect(one == other && !one.utf8.elementsEqual(other.utf8))
        let world = try await LedgerWorld.new()
        let (own, to) = (try await world.wallet(balance: 100), try await world.wallet())
        let key = LedgerWorld.newKey()
        #expect(try await world.transfer(1, from: own, to: to, key: key, reference: one).status == 201)
        let answer = try await world.transfer(1, from: own, to: to, key: key, reference: other)
        #expect(answer.code == "idempotency_key_reused" && answer.pointers == ["/reference"], "\(answer.text)")
        let batchKey = LedgerWorld.newKey()
        for (text, code) in [(one, nil), (other, "idempotency_key_reused")] {
            let body = LedgerWorld.batch("atomic", LedgerWorld.transfer(own, to, "1", reference: "batch " + text))
            let answer = try await world.api.send(SignedCall("POST", "/v1/transfers/batch", body, as: world.user, key: batchKey))
            #expect(answer.code == code && (code == nil || answer.pointers == ["/transfers/0/reference"]), "\(answer.text)")
        }
    }

    @Test("two references are two, in one batch as in two requests", arguments: pairs)
    func references(one: String, other: String) async throws {
        let world = try await LedgerWorld.new()
        let (own, to) = (try await world.wallet(balance: 100), try await world.wallet())
        for mode in ["atomic", "independent"] {
            let body = LedgerWorld.batch(
                mode, LedgerWorld.transfer(own, to, "1", reference: mode + one), LedgerWorld.transfer(own, to, "1", reference: mode + other))
            let answer = try await world.api.send(SignedCall("POST", "/v1/transfers/batch", body, as: world.user, key: LedgerWorld.newKey()))
            let ids = (answer.json["results"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
            #expect(ids.count == 2, "\(answer.text)")
        }
        // What was posted in one of them is found under its own reference.
        for text in ["atomic" + one, "atomic" + other] {
            let again = try await world.transfer(1, from: own, to: to, reference: text)
            #expect(again.code == "reference_exists", "\(again.text)")
        }
    }

    @Test("a change of a wallet is repeated for the reason as it is spelled", arguments: pairs)
    func reasons(one: String, other: String) async throws {
        let world = try await LedgerWorld.new()
        let wallet = try await world.wallet()
        let key = LedgerWorld.newKey()
        func freeze(_ reason: String) async throws -> SignedAnswer {
            let body = #"{"block":"all","reason":"\#(reason)"}"#
            return try await world.api.send(SignedCall("POST", "/v1/wallets/\(wallet)/freeze", body, as: world.staff, key: key))
        }
        #expect(try await freeze(one).status == 200)
        let answer = try await freeze(other)
        #expect(answer.code == "idempotency_key_reused" && answer.pointers == ["/reason"], "\(answer.text)")
    }
}
