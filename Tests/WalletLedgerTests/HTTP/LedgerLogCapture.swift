import Contracts
import Foundation
import Logging
import ServiceRuntime

/// What the ledger logs, read back from a file that has no name.
final class LedgerLogCapture: Sendable {
    private let output: LogOutput
    private let fileDescriptor: Int32

    init() throws {
        var template = Array("/tmp/florin-ledger-log-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        fileDescriptor = mkstemp(&template)
        guard fileDescriptor >= 0 else { throw LedgerAPI.NotServing(description: "no file for the log") }
        unlink(template)
        output = LogOutput(fileDescriptor: fileDescriptor)
    }

    deinit { close(fileDescriptor) }

    func logger(level: Logger.Level) -> Logger {
        Logger(label: "wallet-ledger") { [output] label in
            JSONLogHandler(label: label, service: "wallet-ledger", level: level, output: output)
        }
    }

    /// Everything written so far.
    var text: String {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(fileDescriptor, 0, SEEK_END)))
        let count = pread(fileDescriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// The lines of one request, as they stand in the log.
    func lines(ofRequest id: String) -> [String] {
        text.split(separator: "\n").filter { $0.contains("\"\(id)\"") }.map(String.init)
    }
}
