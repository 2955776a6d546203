import Contracts

extension Problem {
    init(_ refusal: AccountRefusal) {
        switch refusal {
        case .addressInvalid:
            self.init(.malformedRequest, errors: [FieldError(pointer: "/email", detail: "Must be an e-mail address.")])
        case .codeInvalid: self.init(ProblemCode.codeInvalid)
        case .secondFactorRequired: self.init(ProblemCode.secondFactorRequired)
        case .unknownUser: self.init(.notFound)
        case .signedOut: self.init(.tokenInvalid)
        }
    }
}

extension Problem {
    /// Names the member of the body that holds a password which can't be one.
    static func naming<Value>(password member: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let fault as PasswordFault {
            throw Problem(fault, member: member)
        }
    }
}
