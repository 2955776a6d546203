package import Contracts

// The pages that only say something.

/// Says that something is done, and leads on to the sign-in.
package struct MessagePage: Page {
    package enum Kind: String, CaseIterable, Sendable {
        case accountReady = "account_ready"
        case passwordChanged = "password_changed"

        var title: PageText { PageText("message.\(rawValue)_title") }
        var text: PageText { PageText("message.\(rawValue)") }
    }

    package static let template = "message"
    let title: PageText
    let text: PageText
    let nextURL: String?

    /// - Parameter nextURL: The sign-in; nil for no button.
    package init(_ kind: Kind, nextURL: String?) {
        title = kind.title
        text = kind.text
        self.nextURL = nextURL
    }
}

/// Why there is no other page: what happened and what to do.
package enum ErrorReason: String, CaseIterable, Sendable {
    /// An authorization or logout request that nobody can be sent back with: an unknown client, another redirect URI.
    case request
    /// A form that can't be read, or that another site has sent.
    case form
    case notFound = "not_found"
    case busy
    case `internal`

    var what: PageText { PageText("error.\(rawValue)") }
    var todo: PageText { PageText("error.\(rawValue)_todo") }

    /// The reason that a person sees for a problem.
    package init(_ problem: Problem) {
        switch problem.status {
        case 404, 405: self = .notFound
        case 429, 503: self = .busy
        case 500...: self = .internal
        default: self = .form
        }
    }
}

/// Says what went wrong and what to do, with the reference that support asks for.
package struct ErrorPage: Page {
    package static let template = "error"
    let what: PageText
    let todo: PageText
    let reference: String

    /// - Parameter reference: The request's id.
    package init(_ reason: ErrorReason, reference: String) {
        what = reason.what
        todo = reason.todo
        self.reference = reference
    }
}
