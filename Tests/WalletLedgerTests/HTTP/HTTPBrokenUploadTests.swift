import Contracts
import Foundation
import TestSupport
import Testing

/// Uploads that break off or are garbled: the sender's error, answered once at most, and never ours.
@Suite struct HTTPBrokenUploadTests {
    struct Upload: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What stands between the signed head and the empty line.
        let framing: String
        let body: String
        var finishes = false
        /// Whether the head itself is wrong, so that nobody looks at what else it says.
        var isRefusedByItsForm = false
    }

    static let garbled = [
        Upload(testDescription: "half a body and the end", framing: "Content-Length: 200", body: #"{"source_wallet_id""#, finishes: true),
        Upload(testDescription: "no body and the end", framing: "Content-Length: 200", body: "", finishes: true),
        Upload(testDescription: "half a chunk and the end", framing: "Transfer-Encoding: chunked", body: "20\r\n{", finishes: true),
        Upload(testDescription: "chunks without the last and the end", framing: "Transfer-Encoding: chunked", body: "1\r\n{\r\n", finishes: true),
        Upload(testDescription: "a chunk size that is no number", framing: "Transfer-Encoding: chunked", body: "zz\r\n{}\r\n0\r\n\r\n"),
        Upload(testDescription: "a chunk longer than it says", framing: "Transfer-Encoding: chunked", body: "1\r\n{}\r\n0\r\n\r\n"),
        Upload(
            testDescription: "a transfer coding that nobody knows", framing: "Transfer-Encoding: xchunked", body: "2\r\n{}\r\n0\r\n\r\n",
            isRefusedByItsForm: true),
    ]

    /// A request whose head is the call's, and whose body is framed and ends as the upload says.
    private func bytes(_ upload: Upload, _ call: SignedCall, _ api: LedgerAPI) throws -> [UInt8] {
        let signed = String(decoding: try call.bytes(api), as: UTF8.self)
        let fields = signed.components(separatedBy: "\r\n\r\n")[0].components(separatedBy: "\r\n").filter { !$0.hasPrefix("Content-Length:") }
        return Array((fields + [upload.framing, "", upload.body]).joined(separator: "\r\n").utf8)
    }

    private func transfer(_ world: LedgerWorld, target: String = "/v1/transfers", isSigned: Bool = true) async throws -> SignedCall {
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        var call = SignedCall("POST", target, LedgerWorld.transfer(own, other, "5"), as: world.user, key: LedgerWorld.newKey())
        call.isSigned = isSigned
        call.fields["x-request-id"] = LedgerWorld.newKey()
        return call
    }

    private func answers(_ text: String) -> Int { text.components(separatedBy: "HTTP/1.1 ").count - 1 }

    @Test("it is refused as malformed, once, and the connection ends", arguments: garbled)
    func refusal(upload: Upload) async throws {
        let world = try await LedgerWorld.new()
        let call = try await transfer(world)
        let text = try await HTTPSocket.everything(after: bytes(upload, call, world.api), finishing: upload.finishes, port: world.api.port)
        #expect(text.hasPrefix("HTTP/1.1 400 ") && text.contains("malformed_request") && answers(text) == 1, "\(text)")
        let lines = world.api.log.lines(ofRequest: call.fields["x-request-id"] ?? "")
        #expect(lines.count == 1 && lines[0].contains(#""level":"info""#) && lines[0].contains("malformed_request"), "\(lines)")
    }

    @Test("what is refused by its head gets no second answer for its body", arguments: garbled)
    func refusedByItsHead(upload: Upload) async throws {
        let world = try await LedgerWorld.new()
        for (target, status) in [("/v1/transfers", 401), ("/v1/nothing", 404)] {
            let call = try await transfer(world, target: target, isSigned: false)
            let text = try await HTTPSocket.everything(after: bytes(upload, call, world.api), finishing: upload.finishes, port: world.api.port)
            #expect(text.hasPrefix("HTTP/1.1 \(upload.isRefusedByItsForm ? 400 : status) ") && answers(text) == 1, "\(text)")
        }
    }

    @Test("a head that can't be read is answered, after the answers to what came before it")
    func head() async throws {
        let world = try await LedgerWorld.new()
        let first = try await transfer(world, isSigned: false).bytes(world.api)
        for garbage in ["NONSENSE\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"] {
            let alone = try await HTTPSocket.everything(after: Array(garbage.utf8), port: world.api.port)
            #expect(alone.hasPrefix("HTTP/1.1 400 ") && answers(alone) == 1, "\(alone)")
            let second = try await HTTPSocket.everything(after: first + Array(garbage.utf8), port: world.api.port)
            #expect(second.hasPrefix("HTTP/1.1 401 ") && second.contains("HTTP/1.1 400 ") && answers(second) == 2, "\(second)")
        }
    }

    @Test("a sender who breaks off is no error of ours")
    func reset() async throws {
        let world = try await LedgerWorld.new()
        let call = try await transfer(world)
        let half = Upload(testDescription: "", framing: "Content-Length: 200", body: "{")
        var lines: [String] = []
        // A reset can overtake what was sent before it.
        let isLogged = try await eventually {
            try await HTTPSocket.breakOff(after: bytes(half, call, world.api), pause: .milliseconds(20), port: world.api.port)
            lines = world.api.log.lines(ofRequest: call.fields["x-request-id"] ?? "")
            return !lines.isEmpty
        }
        #expect(isLogged)
        for line in lines { #expect(line.contains(#""level":"info""#) && line.contains("malformed_request"), "\(line)") }
    }
}
