import Hummingbird
import Testing

@Suite("One answer per request")
struct OneAnswerTests {
    private static let head = "POST /things HTTP/1.1\r\nhost: test\r\n"

    @Test("a request whose body turns out not to be HTTP gets the answer to its head and no second one", arguments: [false, true])
    func garbledBody(isFirst: Bool) async throws {
        try await ToyServer.run { router in
            // By its head, without reading the body.
            router.post("things") { _, _ in Response(status: .noContent) }
        } _: { server in
            let before = isFirst ? "" : "\(Self.head)content-length: 2\r\n\r\n{}"
            let text = try await server.everything(after: "\(before)\(Self.head)transfer-encoding: chunked\r\n\r\nno chunk\r\n\r\n")
            let all = answers(in: text)
            #expect(all.count == (isFirst ? 1 : 2) && all.allSatisfy { $0.hasPrefix("HTTP/1.1 204") }, "\(text)")
            #expect(server.limited("malformed") == 1)
        }
    }
}
