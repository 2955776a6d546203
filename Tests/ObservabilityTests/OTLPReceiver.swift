import Contracts
import Foundation
import StrictJSON
import TestSupport

/// The other implementation: a receiver that reads requests with PyPI's `opentelemetry-proto`, in a virtual environment of its own.
final class OTLPReceiver: Sendable {
    struct Failure: Error {
        let output: String
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("otlp").path
    private static let environment = RepositoryRoot.path(".local/python-otlp")

    let port: Int
    private let processID: pid_t
    private let output: String

    /// Starts it and waits until it listens.
    init() async throws {
        try await Self.prepare()
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("florin-otlp-\(UUID().uuidString)").path
        let processID = try Shell.spawn(["\(Self.environment)/venv/bin/python", "\(Self.folder)/receiver.py"], input: nil, output: output)
        self.output = output
        self.processID = processID
        var port: Int?
        _ = try await eventually(within: .seconds(60)) {
            port = (try? String(contentsOfFile: output, encoding: .utf8)).flatMap { $0.hasSuffix("\n") ? Int($0.dropLast()) : nil }
            return port != nil
        }
        guard let port else { throw Failure(output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "") }
        self.port = port
    }

    deinit {
        kill(processID, SIGKILL)
        waitpid(processID, nil, 0)
        try? FileManager.default.removeItem(atPath: output)
    }

    /// What it has read so far.
    func received() async throws -> JSONValue {
        try JSONParser.parse(Array(try await PlainHTTP.get("/received", port: port).body.utf8))
    }

    static func prepare() async throws {
        try await Shell.run(["/bin/sh", "\(folder)/prepare.sh", environment], environment: ProcessInfo.processInfo.environment)
    }
}
