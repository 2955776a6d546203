import Contracts

/// What a browser brings along with a request: its cookies, and what else is known of where it is.
package struct BrowserVisit: Sendable {
    /// The flows that it can go on with.
    package let flowSecret: BrowserSecret?
    package let sessionSecret: BrowserSecret?
    package let deviceSecret: BrowserSecret?
    /// The browser and system, as it names itself.
    package let app: String
    /// The network that it comes from.
    package let network: String
    package let traceparent: String?
    package let deadline: ContinuousClock.Instant?

    package init(
        flowSecret: BrowserSecret? = nil, sessionSecret: BrowserSecret? = nil, deviceSecret: BrowserSecret? = nil, app: String, network: String,
        traceparent: String? = nil, deadline: ContinuousClock.Instant? = nil
    ) {
        self.flowSecret = flowSecret
        self.sessionSecret = sessionSecret
        self.deviceSecret = deviceSecret
        self.app = app
        self.network = network
        self.traceparent = traceparent
        self.deadline = deadline
    }

    var sighting: DeviceSighting { DeviceSighting(app: app, place: network) }

    /// By what failed attempts are counted.
    var origin: AttemptOrigin { AttemptOrigin(deviceHash: deviceSecret?.hash, network: network) }
}

/// What a browser gets in the end: where it goes, and the cookies that it did not have.
package struct SignInAnswer: Sendable, Hashable {
    package let location: String
    package let session: BrowserSecret?
    package let device: BrowserSecret?

    init(location: String, session: BrowserSecret? = nil, device: BrowserSecret? = nil) {
        self.location = location
        self.session = session
        self.device = device
    }

    /// A line each; an address has no line breaks.
    var text: String { [location, session?.text ?? "", device?.text ?? ""].joined(separator: "\n") }

    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3 else { return nil }
        self.init(location: String(lines[0]), session: BrowserSecret(lines[1]), device: BrowserSecret(lines[2]))
    }
}

/// What a page of a flow shows.
package struct SignInView: Sendable {
    package let flow: SignInFlow
    /// The secret of the flow's browser, for the token of its forms.
    package let owner: BrowserSecret
    package let client: OAuthClient
    /// Of the person who is signing in, as far as that is known.
    package let email: String?
    /// Whether somebody is signed in already and has to confirm it.
    package let isAgain: Bool
}

/// What happens next in a browser.
package enum SignInTurn: Sendable {
    /// To the page of the step where the flow stands; with the cookie that the browser did not have.
    case toStep(SignInFlow, flowSecret: BrowserSecret?)
    /// The page of that step, again where something was refused.
    case page(SignInView, CredentialRefusal?)
    /// To the client.
    case leave(SignInAnswer)
    /// Its time is over; the same request can be begun anew.
    case expired(SignInFlow)
    /// There is no such flow, or not any longer.
    case unknown
}
