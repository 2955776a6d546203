import Foundation
import TestSupport

/// A process of the fleet, wallet-ledger unless said otherwise, that the test started and may therefore kill.
///
/// Safe because: everything but `processID` is constant, and one test task at a time starts and kills a replica.
final class LedgerProcess: @unchecked Sendable {
    static let walletLedger = RepositoryRoot.path(".build/debug/wallet-ledger")
    static let fleetctl = RepositoryRoot.path(".build/debug/fleetctl")

    private let executable: String
    let environment: [String: String]
    let output: String
    let adminPort: Int
    private(set) var processID: pid_t = 0

    /// - Parameter output: the file, or pipe, for what it prints; one of its own unless given.
    init(_ executable: String = LedgerProcess.walletLedger, environment: [String: String], adminPort: Int, output: String? = nil) {
        self.executable = executable
        self.environment = environment
        self.adminPort = adminPort
        self.output = output ?? FileManager.default.temporaryDirectory.appendingPathComponent("florin-ledger-\(UUID().uuidString).log").path
    }

    func start(_ arguments: [String] = ["serve"]) throws {
        processID = try Self.spawn(executable, arguments, environment: environment, output: output)
    }

    /// - Returns: the exit code, or 128 + signal.
    @discardableResult
    func end(_ signal: Int32) -> Int32 {
        guard processID > 0 else { return 0 }
        kill(processID, signal)
        return wait()
    }

    func signal(_ signal: Int32) {
        if processID > 0 { kill(processID, signal) }
    }

    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(processID, &status, 0) == -1, errno == EINTR {}
        processID = 0
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    deinit {
        end(SIGKILL)
        try? FileManager.default.removeItem(atPath: output)
    }

    /// Runs a command of the executable to its end.
    static func run(
        _ arguments: [String], of executable: String = LedgerProcess.walletLedger, environment: [String: String]
    ) throws -> (code: Int32, output: String) {
        let process = LedgerProcess(executable, environment: environment, adminPort: 0)
        try process.start(arguments)
        let code = process.wait()
        return (code, (try? String(contentsOfFile: process.output, encoding: .utf8)) ?? "")
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], environment: [String: String], output: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Dispatch's threads block signals, and a child inherits that.
        var noSignal = sigset_t()
        sigemptyset(&noSignal)
        posix_spawnattr_setsigmask(&attributes, &noSignal)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argumentPointers = ([executable] + arguments).map { strdup($0) } + [nil]
        var base = environment
        for name in ["PATH", "LD_LIBRARY_PATH"] { base[name] = ProcessInfo.processInfo.environment[name] }
        var environmentPointers = base.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, executable, &actions, &attributes, &argumentPointers, &environmentPointers)
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: result) ?? .EIO) }
        return process
    }
}
