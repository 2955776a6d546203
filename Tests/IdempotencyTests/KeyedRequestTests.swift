import Contracts
import Idempotency
import StrictJSON
import Testing

@Suite("Keys and their requests")
struct KeyedRequestTests {
    @Test("a key belongs to its caller and its principal")
    func scope() {
        let key = ScopedKey(caller: "backoffice", principal: "staff:usr_1", key: "k")
        #expect(key.id == ScopedKey(caller: "backoffice", principal: "staff:usr_1", key: "k").id)
        for other in [
            ScopedKey(caller: "fleetctl", principal: "staff:usr_1", key: "k"), ScopedKey(caller: "backoffice", principal: "staff:usr_2", key: "k"),
            ScopedKey(caller: "backoffice", principal: "staff:usr_1", key: "K"),
        ] {
            #expect(key.id != other.id)
        }
    }

    @Test(
        "a key is 1 to 255 visible ASCII characters",
        arguments: [
            ("k", true), (String(repeating: "k", count: 255), true), ("", false), (String(repeating: "k", count: 256), false), ("a b", false),
            ("k\n", false), ("ä", false), ("\u{7F}", false),
        ])
    func spelling(text: String, isKey: Bool) {
        #expect(ScopedKey.isKey(text) == isKey)
    }

    @Test("the first difference of two requests is named by its pointer")
    func difference() {
        let first = CanonicalRequest.render(route: "r", [("id", .string("1")), ("note", nil)])
        #expect(CanonicalRequest.firstDifference(first, first) == "")
        #expect(CanonicalRequest.firstDifference(first, CanonicalRequest.render(route: "s", [("id", .string("1"))])) == "/route")
        #expect(CanonicalRequest.firstDifference(first, CanonicalRequest.render(route: "r", [("id", .string("2"))])) == "/id")
        #expect(
            CanonicalRequest.firstDifference(first, CanonicalRequest.render(route: "r", [("id", .string("1")), ("note", .string("n"))])) == "/note")
    }
}
