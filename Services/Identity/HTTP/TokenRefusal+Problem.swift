import Contracts
import HTTPService
import HTTPTypes

extension Problem {
    /// The kind of mistake, which is all that the client learns.
    init(_ refusal: TokenRefusal) {
        switch refusal {
        case .grantTypeUnknown: self.init(.unsupportedGrantType)
        case .grantTypeNotAllowed: self.init(.unauthorizedClient)
        case .scopeNotGranted, .scopeMalformed: self.init(.invalidScope)
        case .userNotActive, .generationChanged, .sessionEnded, .clientDisabled, .codeUnknown, .codeExpired, .codeMismatch, .codeReused,
            .refreshUnknown, .refreshExpired, .refreshRevoked, .refreshStolen:
            self.init(.invalidGrant)
        }
    }
}

/// How `/oauth2/*` shows a refusal: as RFC 6749 (section 5.2) has it, never to be stored.
enum OAuthErrors {
    static let noStore = [HTTPField(name: .cacheControl, value: "no-store"), HTTPField(name: HTTPField.Name("pragma")!, value: "no-cache")]

    static func answer(_ problem: Problem) -> Answer {
        let description = problem.detail ?? problem.errors.first.map { "\($0.pointer.dropFirst()): \($0.detail)" } ?? problem.code.title
        return Answer(
            .init(code: problem.status), OAuthErrorBody(error: name(problem.code), errorDescription: plain(description)), extraHeaders: noStore)
    }

    private static func name(_ code: ProblemCode) -> String {
        switch code {
        case .clientInvalid: "invalid_client"
        case _ where ProblemCode.oauth.contains(code): code.rawValue
        case _ where code.status == 503 || code == .rateLimited: "temporarily_unavailable"
        case _ where code.status >= 500: "server_error"
        default: "invalid_request"
        }
    }

    /// RFC 6749, section 5.2: no quotation mark, no backslash, nothing beyond ASCII.
    private static func plain(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C ? $0 : UInt8(ascii: "'") }, as: UTF8.self)
    }
}
