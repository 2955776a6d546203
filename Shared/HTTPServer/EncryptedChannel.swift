import HummingbirdCore
package import Logging
package import NIOCore
import NIOSSL
package import TransportSecurity

/// A connection that is encrypted before anything else: each one with the certificate that is current when it is opened.
package struct EncryptedChannel: ServerChildChannel {
    package typealias Value = PinnedHTTP1Channel.Value

    let certificate: ServerCertificate
    let wrapped: PinnedHTTP1Channel

    package init(certificate: ServerCertificate, wrapped: PinnedHTTP1Channel) {
        self.certificate = certificate
        self.wrapped = wrapped
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
        }.flatMap {
            wrapped.setup(channel: channel, logger: logger)
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await wrapped.handle(value: value, logger: logger)
    }
}
