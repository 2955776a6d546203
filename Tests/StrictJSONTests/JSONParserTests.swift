import StrictJSON
import TestSupport
import Testing

@Suite("JSON: reading")
struct JSONParserTests {
    @Test(
        "what RFC 8259 allows is read",
        arguments: [
            ("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false)), (" \t\r\n0 ", .number("0")), ("-0", .number("-0")),
            ("-12.50e+3", .number("-12.50e+3")), ("1E-9", .number("1E-9")), (#""""#, .string("")), (#""é€😀""#, .string("é€😀")),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")), (#""\u00e9\uD83D\uDE00\u0000""#, .string("é😀\u{0}")),
            ("[]", .array([])), ("[1,[2], {}]", .array([.number("1"), .array([.number("2")]), .object([])])),
            (
                #"{"b":1 , "a":null}"#,
                .object([JSONMember(name: "b", value: .number("1")), JSONMember(name: "a", value: .null)])
            ),
        ])
    func accepted(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(
        "what RFC 8259 does not allow is refused, and why",
        arguments: [
            ("", JSONError.Reason.unexpectedEnd), ("  ", .unexpectedEnd), ("{", .unexpectedEnd), ("[1", .unexpectedEnd), (#""a"#, .unexpectedEnd),
            ("tru", .unexpectedEnd), (#"{"a""#, .unexpectedEnd), ("nul1", .unexpectedByte), ("NaN", .unexpectedByte), ("[1,]", .unexpectedByte),
            (#"{"a":1,}"#, .unexpectedByte), ("{a:1}", .unexpectedByte), (#"{"a" 1}"#, .unexpectedByte), ("[1 2]", .unexpectedByte),
            ("'a'", .unexpectedByte), ("// c\n1", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte), ("\u{FEFF}1", .unexpectedByte),
            ("1 2", .trailingBytes), ("{}x", .trailingBytes), ("01", .invalidNumber), ("-", .invalidNumber), ("1.", .invalidNumber),
            ("1e", .invalidNumber), ("1e+", .invalidNumber), ("-01", .invalidNumber), (#""\x""#, .invalidString), (#""\u12g4""#, .invalidString),
            (#""\uD800""#, .invalidString), (#""\uDC00""#, .invalidString), (#""\uD800\u0041""#, .invalidString), ("\"\u{1}\"", .invalidString),
            ("\"a\nb\"", .invalidString), (#"{"a":1,"a":2}"#, .duplicateMember), (#"{"a":1,"\u0061":2}"#, .duplicateMember),
        ])
    func refused(text: String, reason: JSONError.Reason) {
        #expect { try JSONParser.parse(Array(text.utf8)) } throws: { ($0 as? JSONError)?.reason == reason }
    }

    @Test("bytes that are no UTF-8 are refused", arguments: [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + bytes + [0x22]) }
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(#""\n"#.utf8) + bytes + [0x22]) }
    }

    @Test("nesting is bounded, so that no body exhausts the stack")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(ascii: "["), count: depth) + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        }
        let members = (0...JSONParser.maximumMembers).map { "\"\($0)\":0" }
        _ = try JSONParser.parse(Array("{\(members.dropLast().joined(separator: ","))}".utf8))
        #expect { try JSONParser.parse(Array("{\(members.joined(separator: ","))}".utf8)) } throws: {
            ($0 as? JSONError)?.reason == .tooManyMembers
        }
        _ = try JSONParser.parse(nested(JSONParser.maximumDepth))
        #expect { try JSONParser.parse(nested(JSONParser.maximumDepth + 1)) } throws: { ($0 as? JSONError)?.reason == .tooDeep }
        #expect(throws: JSONError.self) { try JSONParser.parse([UInt8](repeating: UInt8(ascii: "["), count: 60_000)) }
    }

    @Test("5 000 mutated bodies are read or refused; what is read is written and read again as the same value")
    func mutations() throws {
        let texts = [
            #"{"source_wallet_id":"wal_0","amount":-12.5e3,"reference":"\u00e9\n\"","list":[1,true,null,{"a":[]}]}"#,
            #"[{"currency":"EUR"},"😀",0.0,false,"\uD83D\uDE00"]"#,
        ]
        let bytes = Array(#"{}[]",:\u0123456789eE+-. truefalsn"#.utf8) + [0x00, 0x80, 0xC3, 0xFF]
        var random = SeededGenerator(seed: 2026)
        var read = 0
        for round in 0..<5_000 {
            var body = Array(texts[round % texts.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !body.isEmpty {
                let index = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body.remove(at: index)
                case 1: body.insert(bytes.randomElement(using: &random)!, at: index)
                case 2: body[index] = bytes.randomElement(using: &random)!
                default: body.removeSubrange(index..<min(body.count, index + 8))
                }
            }
            guard let value = try? JSONParser.parse(body) else { continue }
            read += 1
            var writer = JSONWriter()
            writer.value(value)
            #expect(try JSONParser.parse(writer.bytes) == value, "round \(round)")
        }
        // Neither side of the property is empty.
        #expect(read > 100 && read < 4_900)
    }
}
