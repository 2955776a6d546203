package import StrictJSON

/// One member of a request that is wrong; `pointer` is an RFC 6901 JSON pointer.
package struct FieldError: WireBody {
    package let pointer: String
    package let detail: String

    package init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        pointer = try object.text("pointer")
        detail = try object.text("detail")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("pointer", pointer)
            writer.member("detail", detail)
        }
    }
}

/// A body that can't be accepted as it stands: a request's, or, to a caller, an answer's.
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
package struct Problem: Error, WireBody {
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

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let type = try object.text("type")
        let title = try object.text("title")
        let status = try object.integer("status", in: 400...599)
        let name = try object.text("code")
        // A service may be newer than its caller: a code that is in no list is kept as it came.
        code = ProblemCode(rawValue: name) ?? ProblemCode(name, status: Int(status), title: title)
        guard type == Self.typePrefix + name else { throw object.refusal("type", "Contradicts `code`.") }
        guard status == code.status else { throw object.refusal("status", "Contradicts `code`.") }
        detail = try object.optionalText("detail")
        instance = try object.optionalText("instance")
        errors = try object.optionalItems("errors", count: 1...JSONParser.maximumMembers) ?? []
    }

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
                    for error in errors { error.encode(into: &writer) }
                }
            }
        }
    }
}
