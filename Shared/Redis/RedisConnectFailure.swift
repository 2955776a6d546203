import NIOCore
import NIOPosix
import NIOSSL

/// Why no connection came about, in few words that are safe to log.
enum RedisConnectFailure {
    static func reason(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
                "the host is unknown"
            } else {
                error.connectionErrors.first.map { reason(of: $0.error) } ?? "no address answers"
            }
        case let error as IOError: error.description
        case is ChannelError: "no connection in time"
        case NIOSSLError.handshakeFailed: "the TLS handshake failed, or nobody trusted vouches for the certificate"
        case is NIOSSLExtraError: "the certificate is another host's"
        case is NIOSSLError, is BoringSSLError: "TLS failed"
        case is SocketAddressError: "the host is unknown"
        default: "\(type(of: error))"
        }
    }
}
