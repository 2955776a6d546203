import Foundation
package import Logging
package import Observability
import Testing

/// A log output that is read back: lines go to a file that has no name.
package final class LogCapture: Sendable {
    /// 2026-11-21T05:00:00.123Z
    package static let now: Int64 = 1_795_237_200_123_456

    package let output: LogOutput
    private let fileDescriptor: Int32

    package init() throws {
        var template = Array("/tmp/florin-log-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        fileDescriptor = mkstemp(&template)
        try #require(fileDescriptor >= 0)
        unlink(template)
        output = LogOutput(fileDescriptor: fileDescriptor)
    }

    deinit { close(fileDescriptor) }

    package func logger(level: Logger.Level = .info, label: String = "ledger.writer") -> Logger {
        Logger(label: label) { label in
            JSONLogHandler(label: label, service: "wallet-ledger", level: level, output: self.output, now: { Self.now })
        }
    }

    /// Everything written so far.
    package func text() -> String {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(fileDescriptor, 0, SEEK_END)))
        let count = pread(fileDescriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// The lines as JSON objects; every one must be one.
    package func lines() throws -> [[String: Any]] {
        try text().split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }
}
