import Contracts
import Testing

@Suite("Problems")
struct ProblemTests {
    @Test("a problem is written with what is known of it")
    func rendering() {
        let bare = Problem(.notFound)
        #expect(
            String(decoding: bare.wireBytes(), as: UTF8.self)
                == #"{"type":"urn:florin:problem:not_found","title":"Not found","status":404,"code":"not_found"}"#)
        let full = Problem(
            .unknownField, detail: "d", instance: "i", errors: [FieldError(pointer: "/a~1b", detail: "x")], retryAfterSeconds: 1)
        #expect(
            String(decoding: full.wireBytes(), as: UTF8.self)
                == #"{"type":"urn:florin:problem:unknown_field","title":"The request has a member that is not known","status":400,"#
                + #""detail":"d","instance":"i","code":"unknown_field","errors":[{"pointer":"/a~1b","detail":"x"}]}"#)
    }

    @Test("every code has a status of errors, a title of its own and a plain name", arguments: ProblemCode.allCases)
    func codes(code: ProblemCode) {
        #expect((400..<600).contains(code.status))
        #expect(!code.title.isEmpty)
        #expect(code.rawValue.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        #expect(ProblemCode.allCases.filter { $0.title == code.title } == [code])
    }
}
