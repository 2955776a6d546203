import Contracts
import HTTPTypes
import NIOCore

/// What body an endpoint takes.
package enum RequestBodyKind: Sendable {
    /// None; a request with one is refused.
    case none
    /// `application/json`, read by ``EndpointRequest/decode(_:)``.
    case json
    /// `application/x-www-form-urlencoded`, read by ``EndpointRequest/form()``.
    case form
    /// Of any type, handed on as it comes in; see ``EndpointRequest/stream``.
    case stream

    /// The one media type that is taken; nil for any and for none.
    var mediaType: String? {
        switch self {
        case .json: "application/json"
        case .form: "application/x-www-form-urlencoded"
        case .none, .stream: nil
        }
    }
}

/// What an endpoint takes beside the path: a body of one kind and size, a query or none, an `Idempotency-Key` or none.
struct ContentRule: Sendable {
    let body: RequestBodyKind
    let limit: Int
    let takesQuery: Bool
    /// Whether a request with an `Idempotency-Key` is done once.
    let keepsKey: Bool

    /// What a route does not know it must not ignore: who asks for some state `?at=` a time must not be told today's.
    ///
    /// - Throws: ``Problem`` `unknown_field`.
    func checkQuery(_ query: String?) throws(Problem) {
        guard let query, !query.isEmpty, !takesQuery else { return }
        throw QueryReader.unknown(query.prefix { $0 != "=" && $0 != "&" })
    }

    /// A body of another type than the one that is taken is not looked at: it would have passed no check.
    ///
    /// - Throws: ``Problem`` `unsupported_media_type` for another type, charset or content coding, and where the type is not named;
    ///   `malformed_request` where it is named twice.
    func checkType(_ headers: HTTPFields) throws(Problem) {
        guard let expected = body.mediaType else { return }
        guard let field = headers[.contentType] else { throw Problem(.unsupportedMediaType) }
        if field != expected {
            // Counted first: what two fields say could, joined by a comma, be a legal one.
            guard headers[values: .contentType].count == 1 else {
                throw Problem(.malformedRequest, detail: "Content-Type is given more than once.")
            }
            guard MediaType(field)?.isUTF8(expected) == true else { throw Problem(.unsupportedMediaType) }
        }
        guard !headers.contains(.contentEncoding) else { throw Problem(.unsupportedMediaType) }
    }

    /// - Throws: ``Problem`` `malformed_request` for a body where none is taken.
    func checkAbsence(_ body: ByteBuffer) throws(Problem) {
        guard self.body != .none || body.readableBytes == 0 else { throw Problem(.malformedRequest, detail: "This request takes no body.") }
    }
}
