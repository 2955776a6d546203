import FoundationEssentials
import HTTPServer
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TestSupport
import Testing

@Suite("One answer per request")
struct OneAnswerTests {
    private static let head = "POST /things HTTP/1.1\r\nhost: test\r\n"

    @Test("a request whose body turns out not to be HTTP gets the answer to its head and no second one", arguments: [false, true])
    func garbledBody(isFirst: Bool) async throws {
        try await serving { port in
            let before = isFirst ? "" : "\(Self.head)content-length: 2\r\n\r\n{}"
            let bytes = Array("\(before)\(Self.head)transfer-encoding: chunked\r\n\r\nno chunk\r\n\r\n".utf8)
            let text = try await HTTPSocket.everything(after: bytes, port: port)
            #expect(text.components(separatedBy: "HTTP/1.1 ").count - 1 == (isFirst ? 1 : 2), "\(text)")
            #expect(text.components(separatedBy: "HTTP/1.1 204").count - 1 == (isFirst ? 1 : 2), "\(text)")
        }
    }

    @Test("a head that can't be read is answered 400, once")
    func garbledHead() async throws {
        try await serving { port in
            let text = try await HTTPSocket.everything(after: Array("no HTTP at all\r\n\r\n".utf8), port: port)
            #expect(text.hasPrefix("HTTP/1.1 400") && text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(text)")
        }
    }

    /// Answers each request by its head: 204, without reading the body.
    private func serving(_ body: @escaping @Sendable (_ port: Int) async throws -> Void) async throws {
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let application = Application(
            responder: CallbackResponder { (_: Request, _: BasicRequestContext) in Response(status: .noContent) },
            server: HTTPServerBuilder { handle in
                PinnedHTTP1Channel(wrapped: OneAnswerHTTP1Channel(wrapped: HTTP1Channel(responder: handle)))
            },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in listening.yield(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            for await port in ports {
                try await body(port)
                break
            }
            group.cancelAll()
            try? await group.waitForAll()
        }
    }
}
