package import StrictJSON

/// One member of a request that is wrong; `pointer` is an RFC 6901 JSON pointer.
package struct FieldError: Sendable, Hashable {
    package let pointer: String
    package let detail: String

    package init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// A request that can't be accepted as it stands.
package struct RequestFault: Error, Sendable, Hashable {
    package let code: ProblemCode
    package let errors: [FieldError]

    package init(_ code: ProblemCode, errors: [FieldError] = []) {
        self.code = code
        self.errors = errors
    }

    package init(_ code: ProblemCode, pointer: String, detail: String) {
        self.init(code, errors: [FieldError(pointer: pointer, detail: detail)])
    }
}

/// An error answer: RFC 9457 `application/problem+json` with a stable code.
///
/// It names no host, SQL, stack or secret; `instance` is the request id under which the logs tell more.
package struct Problem: Error, Sendable, Hashable, WireEncodable {
    package static let mediaType = "application/problem+json"
    /// Types are named, not hosted: a URN needs no web server to stay true.
    package static let typePrefix = "urn:florin:problem:"

    package var code: ProblemCode
    package var detail: String?
    package var instance: String?
    package var errors: [FieldError]
    /// Seconds after which a repeat makes sense; the `Retry-After` header.
    package var retryAfterSeconds: Int?

    package init(
        _ code: ProblemCode, detail: String? = nil, instance: String? = nil, errors: [FieldError] = [], retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.instance = instance
        self.errors = errors
        self.retryAfterSeconds = retryAfterSeconds
    }

    package init(_ fault: RequestFault) {
        self.init(fault.code, errors: fault.errors)
    }

    package var status: Int { code.status }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("type", Self.typePrefix + code.rawValue)
            writer.member("title", code.title)
            writer.member("status", Int64(code.status))
            if let detail { writer.member("detail", detail) }
            if let instance { writer.member("instance", instance) }
            writer.member("code", code.rawValue)
            if !errors.isEmpty {
                writer.name("errors")
                writer.array { writer in
                    for error in errors {
                        writer.object { writer in
                            writer.member("pointer", error.pointer)
                            writer.member("detail", error.detail)
                        }
                    }
                }
            }
        }
    }
}
