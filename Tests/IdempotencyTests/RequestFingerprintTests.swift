import Contracts
import Idempotency
import StrictJSON
import Testing

@Suite("Fingerprints of requests")
struct RequestFingerprintTests {
    private func fingerprint(_ route: String = "r", id: String = "1", note: String? = nil) -> RequestFingerprint {
        RequestFingerprint(route: route) { members in
            members.member("id", id)
            members.member("note", ifPresent: note)
        }
    }

    @Test("the bytes are those of every release: route first, members in the order of the calls, nothing for what is absent")
    func bytes() {
        let things = RequestFingerprint(route: "POST /v1/things/{id}") { members in
            members.member("id", "thg_1")
            members.member("amount", -9_007_199_254_740_991)
            members.member("final", true)
            members.member("reference", ifPresent: "a\"b\\c\n\u{1F}é\u{2028}/")
            members.member("note", ifPresent: nil)
            members.name("items")
            members.array { items in
                items.object { $0.member("amount", 0) }
                items.object { $0.member("amount", 1) }
            }
        }
        #expect(
            things.text
                == #"{"route":"POST /v1/things/{id}","id":"thg_1","amount":-9007199254740991,"final":true,"reference":"a\"b\\c\u000a\u001fé\#u{2028}/","items":[{"amount":0},{"amount":1}]}"#
        )
        // A member that a later release adds says nothing where it is absent.
        #expect(fingerprint("r", id: "1") == RequestFingerprint(stored: #"{"route":"r","id":"1"}"#))
    }

    @Test("the first difference of two requests is named by its pointer")
    func difference() {
        let first = fingerprint()
        #expect(fingerprint().firstDifference(from: first) == nil)
        #expect(fingerprint("s", id: "2").firstDifference(from: first) == "/route")
        #expect(fingerprint(id: "2", note: "n").firstDifference(from: first) == "/id")
        #expect(fingerprint(note: "n").firstDifference(from: first) == "/note")
        #expect(first.firstDifference(from: fingerprint(note: "n")) == "/note")
        func list(_ items: [Int64]) -> RequestFingerprint {
            RequestFingerprint(route: "r") { members in
                members.name("items")
                members.array { writer in for item in items { writer.object { $0.member("n", item) } } }
            }
        }
        #expect(list([1, 2]).firstDifference(from: list([1, 3])) == "/items/1/n")
        #expect(list([1, 2]).firstDifference(from: list([1])) == "/items/1")
        // Texts are the same when their bytes are.
        #expect(fingerprint(id: "e\u{301}").firstDifference(from: fingerprint(id: "\u{E9}")) == "/id")
        // What can't be read differs, nobody knows where.
        #expect(first.firstDifference(from: RequestFingerprint(stored: "?")) == "")
    }
}
