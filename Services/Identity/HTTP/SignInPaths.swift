import Contracts
import HTTPService
import HTTPTypes
import NIOCore

/// Where the pages of a flow are.
enum SignInPaths {
    static func step(_ id: SignInFlowID) -> String { "/signin?flow=\(id)" }
    static func restart(_ id: SignInFlowID) -> String { "/signin/restart?flow=\(id)" }
    static func register(_ id: SignInFlowID) -> String { "/register?flow=\(id)" }
    static func recovery(_ id: SignInFlowID) -> String { "/recovery?flow=\(id)" }
}

/// Sends a browser whose form came from another site to the same place by GET, for which it brings its cookies.
enum GetInstead {
    static func of(_ request: PublicRequest, at path: String) throws -> Answer {
        let query = String(decoding: request.body.readableBytesView, as: UTF8.self)
        // A form has percent-encoded everything else.
        guard query.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw Problem(.malformedRequest, detail: "The form is not encoded.") }
        return .redirect(to: "\(path)?\(query)", extraHeaders: [.noStore])
    }
}

extension HTTPField {
    static let noStore = HTTPField(name: .cacheControl, value: "no-store")
}

extension OAuthParameters {
    /// - Throws: ``Problem`` for what is not percent-encoded UTF-8.
    init(query: String?) throws { self.init(try Form.fields(of: (query ?? "").utf8)) }

    var flow: SignInFlowID? { self["flow"].flatMap { SignInFlowID($0) } }
}

extension Form {
    var flow: SignInFlowID? { self["flow"].flatMap { SignInFlowID($0) } }
}

extension FormFault {
    /// - Parameter wrong: What is shown for a wrong secret.
    init(_ refusal: CredentialRefusal, wrong: FormFault) {
        self =
            switch refusal {
            case .wrong: wrong
            case .blocked(let wait): .blocked(for: wait)
            case .disabled: .disabled
            case .overloaded: .busy
            }
    }
}

extension CredentialRefusal {
    /// Of the page that shows it.
    var pageStatus: HTTPResponse.Status {
        switch self {
        case .wrong: .unprocessableContent
        case .blocked: .tooManyRequests
        case .disabled: .forbidden
        case .overloaded: .serviceUnavailable
        }
    }

    var pageHeaders: [HTTPField] {
        switch self {
        case .blocked(let wait): [HTTPField(name: .retryAfter, value: String(max(1, Int((wait / .seconds(1)).rounded(.up)))))]
        case .overloaded: [HTTPField(name: .retryAfter, value: "1")]
        case .wrong, .disabled: []
        }
    }
}
