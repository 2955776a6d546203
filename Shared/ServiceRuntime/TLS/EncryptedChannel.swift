import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import TransportSecurity

/// A connection that is encrypted before anything else: each one with the certificate that is current when it is opened.
struct EncryptedChannel: ServerChildChannel {
    typealias Value = PinnedHTTP1Channel.Value

    let certificate: ServerCertificate
    let wrapped: PinnedHTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
        }.flatMap {
            wrapped.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await wrapped.handle(value: value, logger: logger)
    }
}
