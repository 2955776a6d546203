import BlockingCalls
import Dispatch
import Logging
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Ends a process whose services were cancelled and don't end: named in one line of the log, and with an exit code of its own.
///
/// It waits on a thread that belongs to nobody else. A library's call that never returns may hold up a task, an event loop or all the
/// threads of the cooperative pool, but not this.
package final class HardEnd: Sendable {
    private struct State {
        /// By the order in which they started.
        var running: [Int: String] = [:]
        var started = 0
        var isDraining = false
        /// Threads that wait for the end.
        var armed = 0
        var isOver = false
    }

    /// A log that takes no lines must not hold up the end either.
    private static let logLimit = DispatchTimeInterval.seconds(1)

    private let grace: Duration
    private let logger: Logger
    private let cutOff: @Sendable () -> Void
    private let state = Mutex(State())
    private let end = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - grace: How long services may take to notice that they were cancelled.
    ///   - cutOff: Ends the process.
    init(afterCancellation grace: Duration, logger: Logger, cutOff: @escaping @Sendable () -> Void) {
        self.grace = grace
        self.logger = logger
        self.cutOff = cutOff
    }

    /// Ends the process now, with ``ProcessExit/cutOff`` and without any clean-up that might wait.
    @Sendable package static func exit() { _exit(ProcessExit.cutOff.rawValue) }

    /// The same service, watched.
    func watching(_ service: any Service) -> any Service { WatchedService(service: service, hardEnd: self) }

    /// - Parameter limit: After this, what has not drained is cancelled.
    func drain(limit: Duration) {
        state.withLock { $0.isDraining = true }
        arm(after: limit + grace)
    }

    /// Everything has ended.
    func disarm() {
        let armed = state.withLock { state in
            state.isOver = true
            return state.armed
        }
        for _ in 0..<armed { end.signal() }
    }

    fileprivate func began(_ name: String) -> Int {
        state.withLock { state in
            state.started += 1
            state.running[state.started] = name
            return state.started
        }
    }

    fileprivate func ended(_ number: Int) {
        let isDraining = state.withLock { state in
            state.running[number] = nil
            return state.isDraining
        }
        // Whatever ends by itself ends the others: they are cancelled now.
        if !isDraining { arm(after: grace) }
    }

    private func arm(after duration: Duration) {
        let isWanted = state.withLock { state in
            if !state.isOver { state.armed += 1 }
            return !state.isOver
        }
        guard isWanted else { return }
        let isArmed = BlockingThread.start { [self] in
            guard end.wait(timeout: .now() + duration / .seconds(1)) == .timedOut else { return }
            report()
            cutOff()
        }
        if !isArmed { logger.error("cannot start the shutdown watchdog thread") }
    }

    private func report() {
        let names = state.withLock { state in state.running.sorted { $0.key < $1.key }.map(\.value) }
        let isWritten = DispatchSemaphore(value: 0)
        let isStarted = BlockingThread.start { [logger] in
            logger.error("cut off", metadata: ["services": "\(names.joined(separator: ", "))"])
            isWritten.signal()
        }
        if isStarted { _ = isWritten.wait(timeout: .now() + Self.logLimit) }
    }
}

private struct WatchedService: Service, CustomStringConvertible {
    let service: any Service
    let hardEnd: HardEnd

    var description: String { (service as? any CustomStringConvertible)?.description ?? "\(type(of: service))" }

    func run() async throws {
        let number = hardEnd.began(description)
        defer { hardEnd.ended(number) }
        try await service.run()
    }
}
