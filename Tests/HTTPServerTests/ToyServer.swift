import Contracts
import Foundation
import HTTPServer
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Observability
import ServiceLifecycle
import TestSupport
import TransportSecurity

/// The server under test, on one event loop, with limits of the test's own.
final class ToyServer: Sendable {
    let port: Int
    let log: LogCapture
    private let metrics: PrometheusRegistry
    private let group: ServiceGroup

    private init(port: Int, log: LogCapture, metrics: PrometheusRegistry, group: ServiceGroup) {
        self.port = port
        self.log = log
        self.metrics = metrics
        self.group = group
    }

    /// Serves for the time of the body.
    static func run(
        _ limits: ServerLimits = .api, certificate: ServerCertificate? = nil,
        routes: (Router<BasicRequestContext>) -> Void = { _ in }, _ body: (ToyServer) async throws -> Void
    ) async throws {
        let router = Router()
        router.get("hello") { _, _ in "hello" }
        router.post("length") { request, _ in try await Self.length(of: request) }
        routes(router)
        let log = try LogCapture()
        let metrics = PrometheusRegistry()
        let instruments = ServerInstruments(server: "toy", metrics: metrics, logger: log.logger())
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let application = Application(
            responder: router.buildResponder(),
            server: HTTPServerBuilder { responder in
                HTTPServerChannel(limits: limits, instruments: instruments, certificate: certificate, staysOnEventLoop: true, responder: responder)
            },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(loops), logger: Logger(label: "toy") { _ in SwiftLogNoOpLogHandler() })
        let group = ServiceGroup(configuration: .init(services: [application], logger: Logger(label: "toy") { _ in SwiftLogNoOpLogHandler() }))
        async let running: Void = group.run()
        guard let port = await ports.first(where: { _ in true }) else { return try await running }
        let server = ToyServer(port: port, log: log, metrics: metrics, group: group)
        do {
            try await body(server)
        } catch {
            await server.shutDown()
            try? await running
            throw error
        }
        await server.shutDown()
        try await running
        try await loops.shutdownGracefully()
    }

    /// What a service answers whose body could not be read.
    private static func length(of request: Request) async throws -> Response {
        do {
            let body = try await request.body.collect(upTo: 1_000_000)
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "\(body.readableBytes)")))
        } catch {
            return Response(status: error as? BodyFault == .tooSlow ? .requestTimeout : .badRequest)
        }
    }

    func shutDown() async { await group.triggerGracefulShutdown() }

    /// How often the server limited something for this reason; nil if that is counted nowhere.
    func limited(_ reason: String) -> Int? { value(#"http_server_limited_total{reason="\#(reason)",server="toy"}"#) }

    var connections: Int? { value(#"http_server_connections{server="toy"}"#) }

    private func value(_ series: String) -> Int? {
        metrics.render().split(separator: "\n").first { $0.hasPrefix("\(series) ") }.flatMap { Int($0.dropFirst(series.count + 1)) }
    }

    /// Talks to the server over a connection of its own, on a thread of its own.
    func talk<Result: Sendable>(_ body: @escaping @Sendable (borrowing LoopbackSocket) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [port] in
                continuation.resume(
                    with: Swift.Result {
                        let socket = try LoopbackSocket(port: port)
                        return try body(socket)
                    })
            }
        }
    }

    /// What is answered on a connection that stays open.
    func hello() async throws -> String {
        try await talk { socket in
            try socket.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n")
            return socket.receive(until: "hello")
        }
    }

    /// Sends this and reads until the server closes.
    func everything(after text: String) async throws -> String {
        try await talk { socket in
            try socket.send(Array(text.utf8))
            return String(decoding: socket.receiveAll(), as: UTF8.self)
        }
    }
}

extension LoopbackSocket {
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// What comes until this text has come so often, or the server closes.
    func receive(until text: String, times: Int = 1) -> String {
        var received = ""
        while received.components(separatedBy: text).count <= times {
            let part = receive()
            guard !part.isEmpty else { break }
            received += String(decoding: part, as: UTF8.self)
        }
        return received
    }

    /// Sends a byte now and then until the server closes the connection, and returns what it has said; nothing if it never does.
    func dribble() -> String {
        for _ in 0..<2_000 {
            do { try send("x") } catch { return String(decoding: receiveAll(), as: UTF8.self) }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return ""
    }
}

/// Answers on the wire, one after the other.
func answers(in text: String) -> [String] { text.components(separatedBy: "HTTP/1.").dropFirst().map { "HTTP/1.\($0)" } }
