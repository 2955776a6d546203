import ServiceLifecycle

/// Something that is in place as long as the process runs and is put away when the drain reaches it: a pool, a client.
package struct ShutdownStep: Service, CustomStringConvertible {
    private let name: String
    private let close: @Sendable () async -> Void

    /// - Parameter close: Called once, after everything composed later has ended.
    package init(_ name: String, close: @escaping @Sendable () async -> Void) {
        self.name = name
        self.close = close
    }

    package var description: String { name }

    package func run() async throws {
        // A cancelled process (drain time used up, another service failed) still closes what is open.
        try? await gracefulShutdown()
        await close()
    }
}
