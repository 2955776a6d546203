internal import CCurl
internal import Glibc
internal import Synchronization

/// Connections that have taken a mail and wait for the next.
final class SMTPConnections: Sendable {
    private let idle = Mutex<[SMTPConnection]>([])

    /// The one that was used last; nil when none is idle.
    func take() -> SMTPConnection? { idle.withLock { $0.popLast() } }

    func keep(_ connection: SMTPConnection) { idle.withLock { $0.append(connection) } }
}

/// A handle of libcurl with the one connection that it keeps between mails.
///
/// `@unchecked Sendable`: libcurl lets any thread use a handle, one at a time; who took it from ``SMTPConnections`` or made it is the only one.
final class SMTPConnection: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init?() {
        guard Self.isReady, let handle = curl_easy_init() else { return nil }
        self.handle = handle
    }

    /// The goodbye is sent, and not waited for: a server that keeps silent then would hold the thread for minutes.
    deinit {
        var socket = curl_socket_t(-1)
        if florin_curl_active_socket(handle, &socket) == CURLE_OK, socket >= 0 { shutdown(socket, Int32(SHUT_RD)) }
        curl_easy_cleanup(handle)
    }
}
