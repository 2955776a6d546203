import Contracts
import StrictJSON
import TestSupport
import Testing

/// What a request may bring, and what comes back.
@Suite("Bodies and answers")
struct ContentTests {
    private static let unknownField = #"{"text":"a","another":1}"#

    @Test(
        "no body passes unread because of how its type is spelled (GW-26)",
        arguments: [
            ("application/json", 400), ("application/json; charset=utf-8", 400), ("APPLICATION/JSON", 400),
            (#"application/json;Charset="UTF-8""#, 400), ("application/json; profile=x", 400), ("application/json;", 400),
            ("text/plain", 415), (nil, 415), ("application/json, text/plain", 415), ("application/json; charset=iso-8859-1", 415),
            ("application/json; charset=utf-8; charset=utf-16", 415), ("application/json; charset", 415), ("application/jsonl", 415),
            ("application/x-www-form-urlencoded", 415), ("", 415),
        ] as [(String?, Int)])
    func mediaTypes(type: String?, status: Int) async throws {
        let toy = try await ToyService.shared()
        let fields = type.map { [("content-type", $0)] } ?? []
        let answer = try await toy.send(ToyCall("POST", "/public/notes", fields, body: Self.unknownField))
        #expect(answer.status == status && answer.code == (status == 400 ? "unknown_field" : "unsupported_media_type"), "\(answer)")
        #expect(answer.values("accept") == (status == 415 ? ["application/json"] : []))
        // A signed one is the same, but for one without a type, which has no valid signature.
        guard let type, !type.isEmpty else { return }
        let token = try await toy.token()
        let signed = [("content-type", type), ("authorization", "Bearer \(token)")]
        #expect(try await toy.send(ToyCall("POST", "/me/notes", signed, body: Self.unknownField, by: "mobile-bff")).status == status)
    }

    @Test("a type that is given twice is malformed, and a coded body is not taken")
    func typesTwice() async throws {
        let toy = try await ToyService.shared()
        let twice = try await toy.send(.json("POST", "/public/notes", #"{"text":"a"}"#, [("content-type", "application/json")]))
        #expect(twice.status == 400 && twice.code == "malformed_request", "\(twice)")
        // Two that would be one legal type when a comma joins them; and a quoted parameter without an end.
        for types in [["application/json;x=\"", "\""], ["application/json;x=\"y"]] {
            let fields = types.map { ("content-type", $0) }
            let answer = try await toy.send(ToyCall("POST", "/public/notes", fields, body: #"{"text":"a"}"#))
            #expect(answer.status == (types.count == 2 ? 400 : 415), "\(answer)")
        }
        let coded = try await toy.send(.json("POST", "/public/notes", #"{"text":"a"}"#, [("content-encoding", "gzip")]))
        #expect(coded.status == 415 && coded.values("accept-encoding") == ["identity"], "\(coded)")
    }

    @Test("a length beyond every number is too large", arguments: ["9223372036854775808", "18446744073709551615"])
    func hugeLength(length: String) async throws {
        let toy = try await ToyService.shared()
        let head = "POST /public/notes HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: \(length)\r\n\r\n"
        let answer = try ToyAnswer(try await HTTPSocket.everything(after: Array(head.utf8), port: toy.port))
        #expect(answer.status == 413, "\(answer)")
    }

    @Test("a body where none is taken is refused, signed or not")
    func noBody() async throws {
        let toy = try await ToyService.shared()
        #expect(try await toy.send(ToyCall("POST", "/public/pings")).status == 204)
        let answer = try await toy.send(.json("POST", "/public/pings", "{}"))
        #expect(answer.status == 400 && answer.code == "malformed_request", "\(answer)")
        let token = try await toy.token()
        let signed = try await toy.send(.json("GET", "/me", "{}", [("authorization", "Bearer \(token)")], by: "mobile-bff"))
        #expect(signed.status == 400 && signed.code == "malformed_request", "\(signed)")
    }

    @Test("a query that nobody reads is refused by its first name")
    func query() async throws {
        let answer = try await ToyService.shared().send(ToyCall("GET", "/public?at=2020-01-01"))
        #expect(answer.status == 400 && answer.code == "unknown_field")
        #expect(answer.json["errors"]?[0]?["pointer"]?.stringValue == "/at")
        #expect(answer.json["errors"]?[0]?["detail"]?.stringValue == "Unknown query parameter.")
    }

    @Test("a form that names a field twice or can't be decoded is malformed", arguments: ["resolution=a&resolution=b", "resolution=%2", "a=%FF", ""])
    func form(body: String) async throws {
        let fields = [("cookie", "__Host-session=open"), ("origin", ToyRoutes.origin)]
        #expect(try await ToyService.shared().send(.form("/pages/alerts/7", body, fields)).status == 400)
    }

    @Test("a stream is read as it comes, up to its limit")
    func upload() async throws {
        let toy = try await ToyService.shared()
        let fits = String(repeating: "x", count: 200_000)
        #expect(try await toy.send(ToyCall("POST", "/public/uploads", body: fits)).text == "200000 bytes")
        let more = try await toy.send(ToyCall("POST", "/public/uploads", body: fits + "x"))
        #expect(more.status == 413 && more.code == "body_too_large", "\(more)")
    }

    @Test("a stream goes out in chunks, or with its length where that is known")
    func export() async throws {
        let toy = try await ToyService.shared()
        let chunked = try await toy.send(ToyCall("GET", "/public/export"))
        #expect(chunked.status == 200 && chunked.values("transfer-encoding") == ["chunked"] && chunked.values("content-length").isEmpty)
        #expect(chunked.body.hasSuffix("0\r\n\r\n") && chunked.body.contains("line 3\n"))
        let known = try await toy.send(ToyCall("GET", "/public/export?known"))
        #expect(known.values("content-length") == ["21"] && known.body == "line 1\nline 2\nline 3\n" && known.values("content-type") == ["text/csv"])
    }

    @Test("two cookies that are set are two fields")
    func cookies() async throws {
        let toy = try await ToyService.shared()
        let fields = [("cookie", "__Host-session=open"), ("origin", ToyRoutes.origin)]
        let redirect = try await toy.send(.form("/pages/alerts/7", "resolution=fraud", fields))
        #expect(redirect.status == 303 && redirect.values("location") == ["/pages/alerts"])
        #expect(redirect.values("set-cookie") == ["notice=fraud", "last=7"])
        let gone = try await toy.send(ToyCall("DELETE", "/pages/session", fields))
        #expect(gone.status == 204 && gone.values("set-cookie").count == 2 && gone.body.isEmpty && gone.values("content-type").isEmpty)
    }
}
