import NIOCore
import Redis
import Testing

@Suite("RESP: what a server may send, in whatever pieces, and what it may not")
struct RESPDecoderTests {
    private static func decode(_ text: String, pieces size: Int = .max) throws(RESPFault) -> [RedisValue] {
        var decoder = RESPDecoder()
        var values: [RedisValue] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            var piece = ByteBuffer(bytes: rest.prefix(size))
            rest = rest.dropFirst(size)
            decoder.append(&piece)
            while let value = try decoder.next() { values.append(value) }
        }
        return values
    }

    private static let samples: [(text: String, value: RedisValue)] = [
        ("+OK\r\n", .simple("OK")), ("+\r\n", .simple("")), (":0\r\n", .integer(0)), (":-9223372036854775808\r\n", .integer(.min)),
        (":+7\r\n", .integer(7)), ("$0\r\n\r\n", .bulk([])), ("$-1\r\n", .null), ("$4\r\na\r\nb\r\n", .bulk(Array("a\r\nb".utf8))),
        ("*-1\r\n", .null), ("*0\r\n", .array([])), ("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", .array([.integer(1), .array([.bulk([0x78])])])),
        ("*2\r\n*0\r\n*0\r\n", .array([.array([]), .array([])])),
        ("-OOM no room\r\n", .error(RedisServerError(message: "OOM no room"))), ("!5\r\nERR x\r\n", .error(RedisServerError(message: "ERR x"))),
        ("_\r\n", .null), ("#t\r\n", .boolean(true)), ("#f\r\n", .boolean(false)), (",1.5\r\n", .double(1.5)), (",inf\r\n", .double(.infinity)),
        ("(12345678901234567890123\r\n", .simple("12345678901234567890123")), ("=6\r\ntxt:hi\r\n", .bulk(Array("hi".utf8))),
        ("%1\r\n+a\r\n:1\r\n", .array([.simple("a"), .integer(1)])), ("~1\r\n:1\r\n", .array([.integer(1)])),
        (">2\r\n+message\r\n+x\r\n", .push([.simple("message"), .simple("x")])), ("|1\r\n+ttl\r\n:3\r\n+OK\r\n", .simple("OK")),
        ("*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:5\r\n:6\r\n", .array([.integer(5), .integer(6)])),
    ]

    @Test("every type, in one piece and byte by byte, one reply behind the other", arguments: [1, 2, 3, 7, Int.max])
    func replies(pieces: Int) throws {
        for sample in Self.samples { #expect(try Self.decode(sample.text, pieces: pieces) == [sample.value], "\(sample.text)") }
        #expect(try Self.decode(Self.samples.map(\.text).joined(), pieces: pieces) == Self.samples.map(\.value))
    }

    @Test("no beginning of a reply is a reply")
    func prefixes() throws {
        for sample in Self.samples {
            for length in 0..<sample.text.utf8.count {
                let begun = String(decoding: Array(sample.text.utf8).prefix(length), as: UTF8.self)
                #expect(try Self.decode(begun).isEmpty, "\(begun.debugDescription)")
            }
        }
    }

    @Test(
        "what is malformed or beyond the bounds is a fault, byte by byte too", arguments: [1, Int.max],
        [
            ("HTTP/1.1 400 Bad Request\r\n", .unknownType), ("\r\n", .malformedLine), ("+O\rK\r\n", .malformedLine), ("+OK\n", .malformedLine),
            (":\r\n", .malformedNumber), (":1a\r\n", .malformedNumber), (":99999999999999999999\r\n", .malformedNumber),
            (": 1\r\n", .malformedNumber), (",x\r\n", .malformedNumber), ("(1.5\r\n", .malformedNumber), ("#x\r\n", .malformedLine),
            ("_x\r\n", .malformedLine), ("$-2\r\n", .malformedLength), ("$x\r\n", .malformedLength), ("$?\r\n", .malformedLength),
            ("$2\r\nabc\r\n", .missingTerminator), ("=3\r\ntxt\r\n", .malformedLine), ("*-2\r\n", .malformedLength), ("!-1\r\n", .malformedLength),
            ("$4194305\r\n", .replyTooLarge), ("$2147483648\r\n", .replyTooLarge), ("*65537\r\n", .tooManyElements),
            ("*2\r\n*65535\r\n", .tooManyElements), (String(repeating: "*1\r\n", count: 9), .tooDeep),
            ("+" + String(repeating: "x", count: 5_000), .lineTooLong), ("*2\r\n$4194000\r\n", nil), ("*65536\r\n", nil),
            (String(repeating: "*1\r\n", count: 8), nil),
        ] as [(String, RESPFault?)])
    func faults(pieces: Int, _ sample: (String, RESPFault?)) {
        let fault: RESPFault?
        do throws(RESPFault) {
            _ = try Self.decode(sample.0, pieces: pieces)
            fault = nil
        } catch {
            fault = error
        }
        #expect(fault == sample.1, "\(sample.0.prefix(40).debugDescription)")
    }

    @Test("random bytes are faults or replies, never a crash, and never more than they can hold")
    func garbage() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("+-:$*_#,(!=%~>|0123456789\r\n\r\nab".utf8)
        for _ in 0..<2_000 {
            let bytes = (0..<64).map { _ in alphabet.randomElement(using: &generator)! }
            let values = (try? Self.decode(String(decoding: bytes, as: UTF8.self), pieces: Int.random(in: 1...9, using: &generator))) ?? []
            #expect(values.count <= 32)
        }
    }

    @Test("an error's code is its first word when that is one; its text is in no description")
    func errorCodes() {
        #expect(RedisServerError(message: "WRONGPASS invalid pair").code == "WRONGPASS")
        #expect(RedisServerError(message: "unknown 'hunter2'").code == "ERR")
        #expect(RedisServerError(message: "").code == "ERR")
        #expect(!"\(RedisError.server(RedisServerError(message: "ERR args: hunter2")))".contains("hunter2"))
    }
}
