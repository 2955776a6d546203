import Contracts
import Foundation
import TestSupport
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
                == #"{"type":"urn:florin:problem:unknown_field","title":"The request has an unknown field","status":400,"#
                + #""detail":"d","instance":"i","code":"unknown_field","errors":[{"pointer":"/a~1b","detail":"x"}]}"#)
    }

    @Test("every code has a status of errors, a title of its own and a plain name", arguments: ProblemCode.all)
    func codes(code: ProblemCode) {
        #expect((400..<600).contains(code.status))
        #expect(!code.title.isEmpty)
        #expect(code.rawValue.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        #expect(ProblemCode.all.filter { $0.title == code.title } == [code])
    }

    @Test("every code that a file declares is in the list of its service, once")
    func lists() throws {
        #expect(Set(ProblemCode.all).count == ProblemCode.all.count)
        let lists = [
            "ProblemCode.swift": ProblemCode.common, "ProblemCode+WalletLedger.swift": ProblemCode.walletLedger,
            "ProblemCode+OpsRisk.swift": ProblemCode.opsRisk, "ProblemCode+Doors.swift": ProblemCode.doors,
            "ProblemCode+Accounts.swift": ProblemCode.accounts,
            "ProblemCode+OAuth.swift": ProblemCode.oauth,
        ]
        let folder = RepositoryRoot.path("Shared/Contracts/Problem")
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let source = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let declared = source.matches(of: /static let \w+ = Self\(\s*"(\w+)"/).map { String($0.1) }
            #expect(declared == (lists[file] ?? []).map(\.rawValue), "\(file)")
        }
        #expect(ProblemCode.all.count == lists.values.reduce(0) { $0 + $1.count })
    }

    @Test("a code is found by its name; one that is newer than its reader is kept as it came")
    func unlisted() throws {
        #expect(ProblemCode(rawValue: "not_found") == .notFound)
        #expect(ProblemCode(rawValue: "brand_new") == nil)
        let bytes = Array(#"{"type":"urn:florin:problem:brand_new","title":"New","status":418,"code":"brand_new"}"#.utf8)
        let problem = try Problem(wireBytes: bytes)
        #expect(problem.code.rawValue == "brand_new" && problem.status == 418 && problem.code.title == "New")
        #expect(problem.wireBytes() == bytes)
    }

    @Test(
        "a problem that contradicts its code is not one of ours",
        arguments: [
            (#"{"type":"about:blank","title":"Not found","status":404,"code":"not_found"}"#, "/type"),
            (#"{"type":"urn:florin:problem:not_found","title":"Not found","status":400,"code":"not_found"}"#, "/status"),
        ])
    func contradictions(text: String, pointer: String) {
        #expect { try Problem(wireBytes: Array(text.utf8)) } throws: { ($0 as? RequestFault)?.errors.map(\.pointer) == [pointer] }
    }
}
