import Foundation
package import Logging
internal import Observability
internal import ServiceRuntime

/// What a service logs, read back from a file that has no name.
package final class ServiceLog: Sendable {
    private let service: String
    private let output: LogOutput
    private let fileDescriptor: Int32

    package init(of service: String) throws {
        self.service = service
        var template = Array("/tmp/florin-service-log-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        fileDescriptor = mkstemp(&template)
        guard fileDescriptor >= 0 else { throw ServedProcess.NotServing(description: "no file for the log") }
        unlink(template)
        output = LogOutput(fileDescriptor: fileDescriptor)
    }

    deinit { close(fileDescriptor) }

    package func logger(level: Logger.Level) -> Logger {
        Logger(label: service) { [service, output] label in
            JSONLogHandler(label: label, service: service, level: level, output: output)
        }
    }

    /// Everything written so far.
    package var text: String {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(fileDescriptor, 0, SEEK_END)))
        let count = pread(fileDescriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// The lines of one request, as they stand in the log.
    package func lines(ofRequest id: String) -> [String] {
        text.split(separator: "\n").filter { $0.contains("\"\(id)\"") }.map(String.init)
    }
}
