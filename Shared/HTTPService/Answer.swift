package import Contracts
package import HTTPTypes
package import Hummingbird
import NIOCore
import Observability
import Synchronization

/// What a handler answers.
package struct Answer: Sendable {
    enum Content: Sendable {
        case bytes([UInt8], mediaType: String)
        /// The length is nil where it is not known beforehand.
        case stream(mediaType: String, length: Int?, @Sendable (inout any ResponseBodyWriter) async throws -> Void)
        case none
    }

    package let status: HTTPResponse.Status
    let content: Content
    /// Beside those that every answer has. A name may come several times, and so does its field.
    package var extraHeaders: [HTTPField]
    /// The code of a refusal, for the log.
    let problemCode: ProblemCode?

    private init(_ status: HTTPResponse.Status, _ content: Content, _ extraHeaders: [HTTPField], problemCode: ProblemCode? = nil) {
        self.status = status
        self.content = content
        self.extraHeaders = extraHeaders
        self.problemCode = problemCode
    }

    /// JSON.
    package init(_ status: HTTPResponse.Status, _ body: some WireEncodable, extraHeaders: [HTTPField] = []) {
        self.init(status, .bytes(body.wireBytes(), mediaType: "application/json"), extraHeaders)
    }

    /// A refusal.
    package init(_ problem: Problem, extraHeaders: [HTTPField] = []) {
        var headers = extraHeaders
        if let seconds = problem.retryAfterSeconds { headers.append(HTTPField(name: .retryAfter, value: String(seconds))) }
        self.init(
            .init(code: problem.status), .bytes(problem.wireBytes(), mediaType: Problem.mediaType), headers, problemCode: problem.code)
    }

    /// A page. Whatever in it comes from outside has been escaped.
    package static func html(_ page: String, _ status: HTTPResponse.Status = .ok, extraHeaders: [HTTPField] = []) -> Answer {
        Answer(status, .bytes(Array(page.utf8), mediaType: "text/html; charset=utf-8"), extraHeaders)
    }

    /// To another address, which is then read by GET whatever the request's method was.
    package static func redirect(to location: String, extraHeaders: [HTTPField] = []) -> Answer {
        Answer(.seeOther, .none, [HTTPField(name: .location, value: location)] + extraHeaders)
    }

    /// Done, and there is nothing to say (204).
    package static func noContent(extraHeaders: [HTTPField] = []) -> Answer {
        Answer(.noContent, .none, extraHeaders)
    }

    /// What the asker has is what there is (304).
    package static func notModified(extraHeaders: [HTTPField]) -> Answer {
        Answer(.notModified, .none, extraHeaders)
    }

    /// Written bit by bit, as fast as it is read. What fails after the head has gone can only end the connection.
    package static func stream(
        _ status: HTTPResponse.Status = .ok, mediaType: String, length: Int? = nil, extraHeaders: [HTTPField] = [],
        _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Answer {
        Answer(status, .stream(mediaType: mediaType, length: length, write), extraHeaders)
    }
}

extension Response {
    init(_ answer: Answer, requestID: RequestID?) {
        var headers = HTTPFields()
        headers.reserveCapacity(5)
        let body: ResponseBody
        switch answer.content {
        case .bytes(let bytes, let mediaType):
            headers.append(HTTPField(name: .contentType, value: mediaType))
            body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .stream(let mediaType, let length, let write):
            headers.append(HTTPField(name: .contentType, value: mediaType))
            body = ResponseBody(contentLength: length) { writer in
                try await write(&writer)
                try await writer.finish(nil)
            }
        case .none: body = ResponseBody()
        }
        if let requestID { headers.append(HTTPField(name: .requestID, value: requestID.text)) }
        for field in answer.extraHeaders { headers.append(field) }
        self.init(status: answer.status, headers: headers, body: body)
    }
}

extension Response {
    /// The answer to HEAD: that to GET without its body (RFC 9110, section 9.3.2). A body whose length nobody knows is counted: without a
    /// length, HTTP/1.1 would end even an empty one by bytes that the next answer would begin with.
    func withoutBody() async throws -> Response {
        guard body.contentLength == nil else { return createHeadResponse() }
        let count = ByteCount()
        try await body.write(count)
        var head = createHeadResponse()
        head.headers[.contentLength] = String(count.bytes.load(ordering: .relaxed))
        return head
    }
}

/// Counts what is written to it.
private final class ByteCount: ResponseBodyWriter, Sendable {
    let bytes = Atomic<Int>(0)

    func write(_ buffer: ByteBuffer) async throws { bytes.add(buffer.readableBytes, ordering: .relaxed) }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
