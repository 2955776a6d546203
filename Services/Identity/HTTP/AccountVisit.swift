import Contracts
import FoundationEssentials
import HTTPService
import HTTPTypes
import Observability

/// What a browser brings to the pages of registration and recovery.
struct AccountVisit: Sendable {
    /// Holds the handle of what the browser has begun last; before that, a secret for the forms alone. This host's alone, and no script's.
    private static let cookie = "__Host-florin-mailed"
    private static let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax"
    /// What the forms are for that begin something: there is no flow yet that their token could name.
    private static let beginning = UUID(high: 0, low: 0)

    let secret: BrowserSecret
    /// Whether the browser has to be given the secret.
    private let isNew: Bool
    /// The sign-in that the person came from, and goes back to.
    private let signIn: String?
    let language: PageLanguage
    let facts: RequestFacts
    private let query: QueryReader

    /// - Throws: ``Problem`` for a query that can't be read.
    init(_ request: PublicRequest) throws {
        query = try QueryReader(request.query, known: ["flow", "resent", "with"], isPaged: false)
        let known = try request.cookie(Self.cookie).flatMap { BrowserSecret($0) }
        secret = known ?? .random()
        isNew = known == nil
        // An id's letters and nothing else: it becomes part of an address.
        signIn = query.text("flow").flatMap { $0.wholeMatch(of: /flw_[0-9a-z]{26}/) != nil ? $0 : nil }
        language = PageLanguage(headers: request.headers)
        let device = try request.cookie(BrowserCookie.device.rawValue).flatMap { BrowserSecret($0) }
        facts = RequestFacts(
            origin: AttemptOrigin(deviceHash: device?.hash, network: ClientNetwork.of(request.headers)), traceparent: request.trace.traceparent,
            deadline: request.deadline)
    }

    var isResent: Bool { query.has("resent") }
    var usesRecoveryCode: Bool { query.text("with") == "recovery_code" }

    /// A path of these pages, with the sign-in that the person came from.
    func path(_ path: String, _ more: String? = nil) -> String {
        let parts = [signIn.map { "flow=\($0)" }, more].compactMap(\.self)
        return parts.isEmpty ? path : "\(path)?\(parts.joined(separator: "&"))"
    }

    /// Nil for who came from nowhere.
    var signInPath: String? { signIn.map { "/signin?flow=\($0)" } }

    // MARK: forms

    func form(_ path: String, of flow: UUID? = nil, _ more: String? = nil) -> PageForm {
        PageForm(action: self.path(path, more), csrf: secret.formToken(of: flow ?? Self.beginning))
    }

    func isOwn(_ form: Form, of flow: UUID? = nil) -> Bool { secret.isFormToken(form["csrf"] ?? "", of: flow ?? Self.beginning) }

    // MARK: answers

    /// The secret's cookie, for a browser that has none.
    var cookies: [HTTPField] { isNew ? [Self.field(secret)] : [] }

    func redirect(to path: String, holding handle: BrowserSecret? = nil) -> Answer {
        .redirect(to: path, extraHeaders: [HTTPField(name: .cacheControl, value: "no-store")] + (handle.map { [Self.field($0)] } ?? []))
    }

    private static func field(_ secret: BrowserSecret) -> HTTPField {
        HTTPField(name: .setCookie, value: "\(cookie)=\(secret.text); \(attributes)")
    }
}

/// Why a form of registration or recovery comes back.
struct AccountFault {
    let fault: FormFault
    let status: HTTPResponse.Status
    let headers: [HTTPField]

    /// - Parameter wrong: What is shown for a wrong code.
    /// - Returns: nil for what no form is to blame for.
    init?(_ error: any Error, wrong: FormFault) {
        (status, headers) = ((error as? CredentialRefusal)?.pageStatus ?? .unprocessableContent, (error as? CredentialRefusal)?.pageHeaders ?? [])
        switch error {
        case AccountRefusal.addressInvalid: fault = .emailInvalid
        case AccountRefusal.codeInvalid: fault = wrong
        case let refusal as CredentialRefusal: fault = FormFault(refusal, wrong: wrong)
        case let password as PasswordFault: fault = FormFault(password)
        default: return nil
        }
    }
}

extension FormFault {
    init(_ fault: PasswordFault) {
        self =
            switch fault {
            case .empty, .tooShort: .passwordShort
            case .tooLong: .passwordLong(maximum: PreparedPassword.maximumCodePoints)
            case .unusableCharacter: .passwordUnusable
            case .common: .passwordCommon
            }
    }
}
