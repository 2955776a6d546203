import Fleetctl
import Testing

@Suite("Load: where an answer ends")
struct LoadAnswerScannerTests {
    private static let body = #"{"id":"trf_01jd3m5v5e8n7r2k4w6y8z0abc","kind":"transfer"}"#
    private static let answer = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"

    private func scan(_ bytes: some Sequence<UInt8>) -> AnswerScanner.Outcome {
        Array(bytes).withUnsafeBytes { AnswerScanner.scan($0) }
    }

    @Test("an answer cut anywhere is incomplete, and complete with its last byte")
    func splitReads() {
        let bytes = Array(Self.answer.utf8)
        for count in bytes.indices {
            #expect(scan(bytes.prefix(count)) == .incomplete, "cut after \(count) bytes")
        }
        #expect(scan(bytes) == .answer(status: 201, head: bytes.count - Self.body.utf8.count, body: Self.body.utf8.count))
    }

    @Test("what follows an answer is left for the next one")
    func leftovers() throws {
        let one = Array(Self.answer.utf8)
        let two = one + Array("HTTP/1.1 422 Unprocessable Content\r\ncontent-length:2\r\n\r\n{}HTT".utf8)
        guard case .answer(201, let head, let body) = scan(two) else {
            Issue.record("the first answer was not seen")
            return
        }
        #expect(head + body == one.count)
        #expect(scan(two.dropFirst(one.count)) == .answer(status: 422, head: 56, body: 2))
        #expect(scan(two.dropFirst(one.count + 58)) == .incomplete)
    }

    @Test(
        "what is no answer with a known length is malformed",
        arguments: [
            "HTTP/1.0 201 Created\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 2x1 Created\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 20\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 2011 Created\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 201 Created\r\n\r\n",
            "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 201 Created\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 201 Created\r\ncontent-length: \r\n\r\n",
            "HTTP/1.1 201 Created\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 201 Created\r\ncontent-length: 2000000\r\n\r\n",
            "HTTP/1.1 201 Created\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 201 Created\ncontent-length: 0\n\n",
            "\r\n",
        ])
    func malformed(text: String) {
        #expect(scan(text.utf8) == .malformed)
    }

    @Test("a head that does not end is given up at the bound")
    func endlessHead() {
        let start = "HTTP/1.1 201 Created\r\nx: "
        #expect(scan((start + String(repeating: "y", count: 1_000)).utf8) == .incomplete)
        #expect(scan((start + String(repeating: "y", count: AnswerScanner.maximumHeadBytes)).utf8) == .malformed)
    }

    @Test(
        "the id of the posting is the body's first transfer id",
        arguments: [
            (#"{"id":"trf_01jd3m5v5e8n7r2k4w6y8z0abc"}"#, 7 as Int?),
            (#"{"entries":[{"id":"ent_01jd3m5v5e8n7r2k4w6y8z0abc"}],"id":"trf_01jd3m5v5e8n7r2k4w6y8z0abc"}"#, 59),
            (#"{"id":"trf_01jd3m5v5e8n7r2k4w6y8z0ab"#, nil),
            (#"{"transfer_id":"trf_01jd3m5v5e8n7r2k4w6y8z0abc"}"#, nil),
            ("", nil),
        ])
    func transferID(body: String, expected: Int?) {
        #expect(Array(body.utf8).withUnsafeBytes { AnswerScanner.transferID(in: $0) } == expected)
    }

    @Test("the ids of a batch are all that its answer names, each where it begins")
    func transferIDs() {
        let (first, second) = ("trf_01jd3m5v5e8n7r2k4w6y8z0abc", "trf_01jd3m5v5e8n7r2k4w6y8z0abd")
        let body = #"{"results":[{"status":201,"id":"\#(first)"},{"status":422,"problem":{}},{"status":201,"id":"\#(second)"}]}"#
        let found = Array(body.utf8).withUnsafeBytes { bytes in
            AnswerScanner.transferIDs(in: bytes).map { String(decoding: bytes[$0..<($0 + AnswerScanner.transferIDBytes)], as: UTF8.self) }
        }
        #expect(found == [first, second])
        #expect(Array("{}".utf8).withUnsafeBytes { AnswerScanner.transferIDs(in: $0) } == [])
    }
}
