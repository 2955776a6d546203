import Contracts
import Foundation
import TestSupport
import Testing

/// GW-01, GW-03, GW-06, GW-10, GW-11, F17: heads that are refused before any route sees them, each by a problem, a line and a count.
@Suite("Heads")
struct HeadTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let head: String
        let code: ProblemCode
        let reason: String

        init(_ name: String, _ head: String, _ code: ProblemCode, _ reason: String = "malformed") {
            testDescription = name
            self.head = head
            self.code = code
            self.reason = reason
        }

        static func get(_ name: String, _ fields: String, _ code: ProblemCode = .malformedRequest, _ reason: String = "malformed") -> Row {
            Row(name, "GET /hello HTTP/1.1\r\n\(fields)\r\n\r\n", code, reason)
        }

        static func target(_ target: String, _ code: ProblemCode = .malformedRequest, _ reason: String = "malformed") -> Row {
            Row(target.count > 40 ? "a target of \(target.count) bytes" : target, "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n", code, reason)
        }
    }

    static let rows: [Row] = [
        .get("65 fields", "Host: h" + String(repeating: "\r\nx: y", count: 64), .headerFieldsTooLarge, "head_too_large"),
        .get("a field of 17 KiB", "Host: h\r\nx: " + String(repeating: "y", count: 17_408), .headerFieldsTooLarge, "head_too_large"),
        .get(
            "36 KiB of fields", "Host: h" + String(repeating: "\r\nx: " + String(repeating: "y", count: 9_216), count: 4), .headerFieldsTooLarge,
            "head_too_large"),
        .target("/" + String(repeating: "a", count: 9_216), .targetTooLong, "head_too_large"),
        .get("no Host", "x: y"), .get("an empty Host", "Host: "), .get("two Hosts", "Host: h\r\nHost: h"), .get("a list of Hosts", "Host: a, b"),
        .target("http://h/hello"), .target("/hello#x"), .target("hello"), .target("*"),
        .target("//hello", .notFound, "other_spelling"), .target("/hello/", .notFound, "other_spelling"),
        .target("/hello//x?y", .notFound, "other_spelling"),
        .get("gzip before chunked", "Host: h\r\nTransfer-Encoding: gzip, chunked"),
        .get("an expectation of something else", "Host: h\r\nExpect: money"),
        .get("no field", "Host: h\r\nno colon"),
        Row("an unknown method", "SHAKE /hello HTTP/1.1\r\nHost: h\r\n\r\n", .malformedRequest),
        Row("a tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", .malformedRequest),
        Row("another version", "GET /hello HTTP/2.0\r\nHost: h\r\n\r\n", .malformedRequest),
        Row("chunks of HTTP/1.0", "POST /length HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .malformedRequest),
    ]

    @Test("is refused by a problem that closes, logged under its id and counted", arguments: rows)
    func refusal(row: Row) async throws {
        try await ToyServer.run { server in
            let text = try await server.everything(after: row.head)
            let parts = text.components(separatedBy: "\r\n\r\n")
            try #require(parts.count == 2, "\(text)")
            let problem = try Problem(wireBytes: Array(parts[1].utf8))
            #expect(parts[0].hasPrefix("HTTP/1.1 \(row.code.status) ") && problem.code == row.code, "\(text)")
            #expect(parts[0].contains("content-type: application/problem+json\r\n") && parts[0].contains("connection: close"), "\(text)")
            let id = try #require(problem.instance)
            #expect(parts[0].contains("x-request-id: \(id)\r\n"), "\(text)")
            #expect(server.limited(row.reason) == 1)
            let lines = server.log.text().split(separator: "\n")
            #expect(lines.count == 1 && lines.allSatisfy { $0.contains(id) && $0.contains("request refused") }, "\(lines)")
        }
    }

    @Test("a refusal comes after the answers to what came before it, and HEAD's has no body")
    func order() async throws {
        try await ToyServer.run { server in
            let good = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"
            for (bad, status) in [("NONSENSE\r\n\r\n", 400), ("HEAD //hello HTTP/1.1\r\nHost: h\r\n\r\n", 404)] {
                let all = answers(in: try await server.everything(after: good + good + bad + good))
                #expect(all.count == 3 && all[1].hasSuffix("hello") && all[2].contains(" \(status) "), "\(all)")
                #expect(status == 400 || all.last?.hasSuffix("\r\n\r\n") == true)
            }
        }
    }

    @Test("the limits themselves are inside")
    func edges() async throws {
        try await ToyServer.run { server in
            let fields = "Host: h\r\nConnection: close" + String(repeating: "\r\nx: y", count: 62)
            #expect(try await server.everything(after: "GET /hello HTTP/1.1\r\n\(fields)\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
            let target = "/hello?" + String(repeating: "a", count: 8_185)
            let text = try await server.everything(after: "GET \(target) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(text.hasPrefix("HTTP/1.1 200 "), "\(text)")
        }
    }

    @Test(
        "a connection ends after the answer when its client says so, in whatever words, or can't know better",
        arguments: [
            "1.1\r\nHost: h\r\nConnection: close", "1.1\r\nHost: h\r\nConnection: keep-alive, Close",
            "1.1\r\nHost: h\r\nConnection: te\r\nconnection: CLOSE", "1.0", "1.0\r\nHost: h", "1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c",
        ])
    func closes(rest: String) async throws {
        try await ToyServer.run { server in
            let all = answers(in: try await server.everything(after: "GET /hello HTTP/\(rest)\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n"))
            #expect(all.count == 1 && all[0].contains(" 200 ") && all[0].hasSuffix("hello"), "\(all)")
            #expect(all[0].lowercased().contains("connection: close"), "\(all)")
        }
    }

    @Test("every reason is counted, at 0 from the start")
    func zeros() async throws {
        let reasons = [
            "malformed", "head_too_large", "head_too_slow", "other_spelling", "body_too_slow", "body_in_pieces", "drain", "unread_answer",
            "pipelining", "connections", "descriptors", "shutdown",
        ]
        try await ToyServer.run { server in
            for reason in reasons { #expect(server.limited(reason) == 0, "\(reason)") }
            #expect(server.connections == 0)
        }
    }

    @Test("who is refused again and again does not fill the log")
    func lines() async throws {
        try await ToyServer.run { server in
            for _ in 0..<40 { _ = try await server.everything(after: "NONSENSE\r\n\r\n") }
            #expect(server.limited("malformed") == 40)
            #expect(server.log.text().split(separator: "\n").count < 40)
        }
    }
}
