package import NIOCore

/// Refreshes many grants in turn, each with the token that its last refresh gave.
package final class RefreshWork: LoadWork {
    private static let okStatus = 200
    /// So many access tokens are kept.
    private static let keptAccessTokens = 500

    private let requests: IdentityRequests
    private let clientID: String
    private var tokens: [String]
    private var isBusy: [Bool]
    private var busyCount = 0
    private var turn = 0
    private var accessTokens: [String] = []

    package init(_ requests: IdentityRequests, clientID: String, tokens: [String]) {
        self.requests = requests
        self.clientID = clientID
        self.tokens = tokens
        isBusy = Array(repeating: false, count: tokens.count)
    }

    /// More connections than grants would have none to begin.
    package var isUsedUp: Bool { busyCount == tokens.count }

    package func next() -> (piece: Int, request: ByteBuffer) {
        while isBusy[turn] { advance() }
        defer { advance() }
        isBusy[turn] = true
        busyCount += 1
        return (turn, requests.post("/oauth2/token", "grant_type=refresh_token&client_id=\(clientID)&refresh_token=\(tokens[turn])"))
    }

    package func answered(_ piece: Int, status: Int, body: UnsafeRawBufferPointer) -> LoadProgress {
        isBusy[piece] = false
        busyCount -= 1
        guard status == Self.okStatus, let successor = TokenMember.refreshToken.value(in: body) else { return .failed }
        tokens[piece] = successor
        if accessTokens.count < Self.keptAccessTokens, let token = TokenMember.accessToken.value(in: body) { accessTokens.append(token) }
        return .done
    }

    package func report(to outcome: inout LoadOutcome) {
        outcome.refreshTokens = Array(tokens[turn...] + tokens[..<turn])
        outcome.accessTokens = accessTokens
    }

    private func advance() { turn = (turn + 1) % tokens.count }
}
