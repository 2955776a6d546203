internal import CLibPQ

/// The one owner of a `PGconn`; the connection ends with it.
struct ConnectionHandle: ~Copyable {
    let pointer: OpaquePointer

    deinit { PQfinish(pointer) }
}

/// What is needed to cancel a running statement from another thread.
///
/// `@unchecked Sendable`: libpq never writes to a `PGcancel` after `PQgetCancel`, and documents that `PQcancel` may be called from a
/// thread other than the connection's. It is freed once, here, when nobody refers to it any more.
final class CancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer

    init?(connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit { PQfreeCancel(pointer) }

    /// Asks the server to cancel, and returns when it has taken note; whether a statement was cancelled shows in its own result.
    func cancel() {
        let capacity = 256
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            _ = PQcancel(pointer, buffer.baseAddress, Int32(capacity))
        }
    }
}
