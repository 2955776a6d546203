import NIOCore
import Synchronization

/// Whose turn it is among the connections of one event loop that send requests without waiting for answers.
///
/// An event loop looks at its sockets only when no task of its own is due, so a pause per connection is no pause for the others: with two
/// that flood it, one's is over while the other is being answered. So one has its turn at a time, and the next turn begins a while after the
/// one before has ended, however many wait for theirs.
final class TurnTaking {
    private static let pause = TimeAmount.milliseconds(1)
    /// A turn whose requests wait for something, such as a database, holds the others up no longer.
    private static let longestTurn = TimeAmount.milliseconds(5)

    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<(connection: ObjectIdentifier, begin: () -> Void)>()
    private var holder: ObjectIdentifier?
    private var isPausing = false
    /// Tells a turn that has ended from one that has taken too long.
    private var turn = 0

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Waits for the connection's next turn; its present one is over.
    func wait(_ connection: AnyObject, _ begin: @escaping () -> Void) {
        waiting.append((ObjectIdentifier(connection), begin))
        if holder == ObjectIdentifier(connection) { holder = nil }
        beginNextLater()
    }

    /// The connection has nothing left to be answered, or has gone; nothing happens where it is another's turn.
    func end(_ connection: AnyObject) {
        guard holder == ObjectIdentifier(connection) else { return }
        holder = nil
        beginNextLater()
    }

    private func beginNextLater() {
        guard holder == nil, !isPausing, !waiting.isEmpty else { return }
        isPausing = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            isPausing = false
            beginNext()
        }
    }

    private func beginNext() {
        guard holder == nil, let next = waiting.popFirst() else { return }
        holder = next.connection
        turn += 1
        eventLoop.assumeIsolated().scheduleTask(in: Self.longestTurn) { [self, turn] in
            guard holder == next.connection, self.turn == turn else { return }
            holder = nil
            beginNextLater()
        }
        next.begin()
    }
}

/// The turns of a server's event loops.
final class TurnTakings: Sendable {
    private let all = Mutex<[ObjectIdentifier: NIOLoopBound<TurnTaking>]>([:])

    /// To be called on the event loop.
    func of(_ eventLoop: any EventLoop) -> TurnTaking {
        all.withLock { all in
            if let known = all[ObjectIdentifier(eventLoop)] { return known }
            let new = NIOLoopBound(TurnTaking(eventLoop), eventLoop: eventLoop)
            all[ObjectIdentifier(eventLoop)] = new
            return new
        }.value
    }
}
