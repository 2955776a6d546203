import FoundationEssentials
import Idempotency
import Testing

@Suite("Idempotency keys")
struct IdempotencyKeyTests {
    @Test("a key belongs to its caller and its principal")
    func scope() {
        let key = IdempotencyKey(caller: "backoffice", principal: "staff:usr_1", key: "k")
        #expect(key.id == IdempotencyKey(caller: "backoffice", principal: "staff:usr_1", key: "k").id)
        for other in [
            IdempotencyKey(caller: "fleetctl", principal: "staff:usr_1", key: "k"),
            IdempotencyKey(caller: "backoffice", principal: "staff:usr_2", key: "k"),
            IdempotencyKey(caller: "backoffice", principal: "staff:usr_1", key: "K"),
        ] {
            #expect(key.id != other.id)
        }
    }

    @Test("the id is the one of every release: the first half of the SHA-256 of caller, principal and key, a line each")
    func id() {
        let key = IdempotencyKey(caller: "mobile-bff", principal: "usr_1", key: "k")
        #expect(key.id.uuidString.lowercased() == "1186c5fe-9e7d-a814-a3e7-41439663ea75")
    }

    @Test(
        "a key is 1 to 255 visible ASCII characters",
        arguments: [
            ("k", true), (String(repeating: "k", count: 255), true), ("", false), (String(repeating: "k", count: 256), false), ("a b", false),
            ("k\n", false), ("ä", false), ("\u{7F}", false),
        ])
    func spelling(text: String, isKey: Bool) {
        #expect(IdempotencyKey.isKey(text) == isKey)
    }
}
