import Foundation

extension PostgresServer {
    /// Stops every process of the server where it is: its connections stay open, and nothing is answered.
    package func freeze() throws { try signalAll(SIGSTOP) }

    package func thaw() throws { try signalAll(SIGCONT) }

    /// Thaws the server later, unless cancelled: what waits for a frozen one fails its test then instead of hanging it.
    package func thawing(after limit: Duration) -> Task<Bool, any Error> { rescue(after: limit) { try self.thaw() } }

    /// Runs `body` while the server is frozen, and thaws it on every path.
    ///
    /// - Parameter limit: When it is thawed anyway, so that what waits for the server fails its test instead of hanging it.
    /// - Returns: what `body` does, and whether the server was still frozen then.
    package func whileFrozen<Value>(
        atMost limit: Duration = .seconds(60), _ body: () async throws -> Value
    ) async throws -> (value: Value, isFrozen: Bool) {
        try freeze()
        let thawing = thawing(after: limit)
        defer {
            thawing.cancel()
            try? thaw()
        }
        let value = try await body()
        thawing.cancel()
        return (value, try await !thawing.value)
    }

    private func signalAll(_ signal: Int32) throws {
        let text = try String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
        guard let main = text.split(separator: "\n").first.flatMap({ pid_t($0) }) else {
            throw StartFailure(description: "no process id of the server")
        }
        kill(main, signal)
        for child in try Self.children(of: main) { kill(child, signal) }
    }

    private static func children(of parent: pid_t) throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { process in
            // After the name, which stands in parentheses: the state and the parent.
            let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            let fields = stat?.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && pid_t(fields[1]) == parent
        }
    }
}
