package import NIOCore

/// What a run sends: pieces of work, each a request or several, one after the other over one connection.
///
/// It lives on the run's event loop and is touched nowhere else.
package protocol LoadWork: AnyObject {
    /// Whether no other piece can begin.
    var isUsedUp: Bool { get }

    /// Begins a piece: by what number it is known, and its first request.
    func next() -> (piece: Int, request: ByteBuffer)

    /// Reads a complete answer.
    func answered(_ piece: Int, status: Int, body: UnsafeRawBufferPointer) -> LoadProgress

    /// Adds what was kept of the answers, when the run is over.
    func report(to outcome: inout LoadOutcome)
}

/// What an answer means for its piece of work.
package enum LoadProgress: Equatable {
    case goesOn(ByteBuffer)
    case done
    /// The answer is not the one that was expected.
    case failed
}
