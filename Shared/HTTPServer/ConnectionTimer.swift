import NIOCore

/// The one thing that a connection waits for at a time, and until when.
///
/// A request costs one look at the clock: an alarm that is set stays set, and when it rings too early it is set again.
final class ConnectionTimer {
    enum Wait {
        /// Since the connection was accepted.
        case firstHead
        case idle
        case head
        case body
        case unreadAnswer
        case drain
    }

    private(set) var wait: Wait?
    private var deadline = NIODeadline.distantFuture
    private var alarm: (time: NIODeadline, task: Scheduled<Void>)?
    private let eventLoop: any EventLoop
    private var onExpiry: ((Wait) -> Void)?

    init(_ eventLoop: any EventLoop, onExpiry: @escaping (Wait) -> Void) {
        self.eventLoop = eventLoop
        self.onExpiry = onExpiry
    }

    func start(_ wait: Wait, for time: TimeAmount) {
        self.wait = wait
        deadline = .now() + time
        if let alarm, alarm.time <= deadline { return }
        alarm?.task.cancel()
        setAlarm()
    }

    func stop() { wait = nil }

    /// For good.
    func end() {
        stop()
        alarm?.task.cancel()
        alarm = nil
        onExpiry = nil
    }

    private func setAlarm() {
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            guard let self else { return }
            ring()
        }
        alarm = (deadline, task)
    }

    private func ring() {
        alarm = nil
        guard let wait else { return }
        guard NIODeadline.now() >= deadline else { return setAlarm() }
        stop()
        onExpiry?(wait)
    }
}
