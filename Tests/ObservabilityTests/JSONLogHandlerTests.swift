import Foundation
import Logging
import Observability
import ServiceRuntime
import TestSupport
import Testing

@Suite("JSON logs")
struct JSONLogHandlerTests {
    @Test("a line has time, level, logger, message, service and its metadata in dotted keys")
    func members() throws {
        let capture = try LogCapture()
        var logger = capture.logger()
        logger[metadataKey: "request_id"] = "req-1"
        logger.info("posted", metadata: ["trace_id": "4bf9", "batch": ["size": "12", "writer": ["id": "1"]], "codes": ["a", "b"]])
        let line = try #require(try capture.lines().first)
        #expect(line["timestamp"] as? String == "2026-11-21T05:00:00.123Z")
        #expect(line["level"] as? String == "info")
        #expect(line["logger"] as? String == "ledger.writer")
        #expect(line["message"] as? String == "posted")
        #expect(line["service"] as? String == "wallet-ledger")
        #expect(line["request_id"] as? String == "req-1")
        #expect(line["trace_id"] as? String == "4bf9")
        #expect(line["batch.size"] as? String == "12")
        #expect(line["batch.writer.id"] as? String == "1")
        #expect(line["codes"] as? [String] == ["a", "b"])
        #expect(capture.text().hasPrefix(#"{"timestamp":"2026-11-21T05:00:00.123Z","level":"info","logger":"ledger.writer","message":"posted""#))
    }

    @Test("text from outside cannot forge a line, a member or a terminal's commands")
    func escapes() throws {
        let capture = try LogCapture()
        let evil = "a\n{\"level\":\"info\"}\r\t\u{1B}[2J\"\\\u{7F}\u{9B}31m\u{2028}\u{0}é🪙"
        capture.logger().info("\(evil)", metadata: ["key\"\n": "\(evil)"])
        let text = capture.text()
        #expect(text.filter { $0 == "\n" }.count == 1)
        #expect(text.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x2028 })
        let line = try #require(try capture.lines().first)
        #expect(line["message"] as? String == evil)
        #expect(line["key\"\n"] as? String == evil)
    }

    @Test("a secret's type keeps it out of the line, however it is handed over")
    func redaction() throws {
        let capture = try LogCapture()
        let secret = Secret("hunter2")
        struct Credentials: Sendable {
            let user = "u"
            let password = Secret("hunter2")
        }
        capture.logger().info(
            "signed in \(secret)",
            metadata: [
                "direct": .stringConvertible(secret), "interpolated": "\(secret)", "nested": ["deep": .stringConvertible(secret)],
                "list": [.stringConvertible(secret)], "reflected": "\(String(reflecting: secret))", "inside": "\(Credentials())",
            ])
        let line = try #require(try capture.lines().first)
        #expect(line["direct"] as? String == "<redacted>")
        #expect(line["interpolated"] as? String == "<redacted>")
        #expect(line["nested.deep"] as? String == "<redacted>")
        #expect(line["list"] as? [String] == ["<redacted>"])
        #expect(!capture.text().contains("hunter2"))
    }

    @Test("dumping a secret shows nothing of it")
    func dumping() {
        var text = ""
        dump(Secret("hunter2"), to: &text)
        #expect(!text.contains("hunter2"))
    }

    @Test("the call's metadata wins over the logger's, and neither can replace a member of the line")
    func precedence() throws {
        let capture = try LogCapture()
        var logger = capture.logger()
        logger[metadataKey: "step"] = "old"
        logger.info("m", metadata: ["step": "new", "level": "fatal", "message": "other"])
        let line = try #require(try capture.lines().first)
        #expect(line["step"] as? String == "new")
        #expect(line["level"] as? String == "info")
        #expect(line["message"] as? String == "m")
        #expect(line["metadata.level"] as? String == "fatal")
        #expect(capture.text().components(separatedBy: #""step""#).count == 2)
    }

    @Test("lines below the level are not written")
    func level() throws {
        let capture = try LogCapture()
        let logger = capture.logger(level: .warning)
        logger.info("quiet")
        logger.error("loud")
        #expect(try capture.lines().map { $0["message"] as? String } == ["loud"])
    }

    @Test("an overlong text is cut at a character and says so")
    func length() throws {
        let capture = try LogCapture()
        capture.logger().info("\(String(repeating: "é", count: JSONLogHandler.maximumTextBytes))")
        let message = try #require(try capture.lines().first?["message"] as? String)
        #expect(message == String(repeating: "é", count: JSONLogHandler.maximumTextBytes / 2) + "…")
    }

    @Test("lines of many threads do not mix")
    func concurrency() async throws {
        let capture = try LogCapture()
        let logger = capture.logger()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for index in 0..<250 { logger.info("line", metadata: ["task": "\(task)", "index": "\(index)"]) }
                }
            }
        }
        let seen = Set(try capture.lines().map { "\($0["task"] as? String ?? "")/\($0["index"] as? String ?? "")" })
        #expect(seen.count == 2_000)
    }
}
