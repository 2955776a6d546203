import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
import NIOSSL
package import TransportSecurity

/// A connection of any server here: TLS where there is a certificate, HTTP/1.1 within limits, Hummingbird's loop of requests and answers.
package struct HTTPServerChannel: ServerChildChannel {
    package typealias Value = HTTP1Channel.Value

    /// So much is parsed before other connections have their turn.
    private static let largestRead = 16_384

    private let http: HTTP1Channel
    private let limits: ServerLimits
    private let instruments: ServerInstruments
    private let certificate: ServerCertificate?
    private let staysOnEventLoop: Bool
    private let turns = TurnTakings()

    /// - Parameters:
    ///   - certificate: What to serve HTTPS with: each connection with the one that is current when it is opened. Nil serves plain HTTP.
    ///   - staysOnEventLoop: Whether requests are answered on the event loop that reads them; see ``EventLoopExecutor``.
    package init(
        limits: ServerLimits, instruments: ServerInstruments, certificate: ServerCertificate? = nil, staysOnEventLoop: Bool,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.limits = limits
        self.instruments = instruments
        self.certificate = certificate
        self.staysOnEventLoop = staysOnEventLoop
        http = HTTP1Channel(
            responder: { request, writer, channel in
                var request = request
                if request.headers[.expect] != nil {
                    request.body = RequestBody(asyncSequence: AwaitedBody(body: request.body, channel: channel))
                }
                try await responder(request, writer, channel)
            },
            configuration: HTTP1Channel.Configuration(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerFieldBytes, maxHeaderListSize: limits.headerListBytes,
                    maxHeaderFieldCount: limits.headerFields)))
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let unwanted = reasonToRefuse(channel)
        channel.closeFuture.whenComplete { [instruments] _ in instruments.closed() }
        return channel.eventLoop.makeCompletedFuture {
            let allocator = AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 2_048, maximum: Self.largestRead)
            try channel.syncOptions?.setOption(.recvAllocator, value: allocator)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            guard let certificate else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let connection = ServerConnection(
                limits: limits, instruments: instruments, turns: turns.of(channel.eventLoop), decoder: decoder, unwanted: unwanted)
            try pipeline.addHandler(connection, position: .after(decoder))
            return value
        }.flatMapErrorThrowing { error in
            // Nobody else would.
            channel.close(promise: nil)
            throw error
        }
    }

    package func handle(value: Value, logger: Logger) async {
        guard staysOnEventLoop else { return await http.handle(value: value, logger: logger) }
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }

    private func reasonToRefuse(_ channel: any Channel) -> LimitReason? {
        guard instruments.opened() <= limits.connections else { return .connections }
        guard limits.descriptorsLeftFree > 0 else { return nil }
        let maximum = Descriptors.maximum
        // The system gives the lowest number that is free.
        let number = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { Int($0) }
        guard let number, number >= maximum - limits.descriptorsLeftFree else { return nil }
        return .descriptors
    }
}
