import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

/// Wallets: opening, reading, and what staff may change.
struct WalletRoutes {
    let openWallet: OpenWallet
    let changeWallet: ChangeWallet
    let read: ReadLedger

    private static let openers = TokenAccess.signedWithToken([LedgerGrants.user, LedgerGrants.clientWrites])
    private static let readers = TokenAccess.signedWithToken(LedgerGrants.readers)
    private static let staff = TokenAccess.signedWithToken([LedgerGrants.staff])

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/wallets", access: Self.openers, body: .json, keepsKey: true, handler: open),
            Endpoint(.get, "/v1/wallets/{id}", access: Self.readers, handler: wallet),
            Endpoint(.post, "/v1/wallets/{id}/freeze", access: Self.staff, body: .json, keepsKey: true, handler: freeze),
            Endpoint(.post, "/v1/wallets/{id}/unfreeze", access: Self.staff, body: .json, keepsKey: true, handler: unfreeze),
            Endpoint(.post, "/v1/wallets/{id}/close", access: Self.staff, body: .json, keepsKey: true, handler: close),
            Endpoint(.put, "/v1/wallets/{id}/overdraft-limit", access: Self.staff, body: .json, keepsKey: true, handler: setOverdraftLimit),
        ]
    }

    private func open(_ request: AuthenticatedRequest) async throws -> Answer {
        let origin = try RequestOrigin(request, needsKey: false)
        let body = try owned(request.decode(OpenWalletRequest.self), by: origin.access)
        return try Answer(try await openWallet(body, origin), status: .created, refused: Problem.init)
    }

    private func wallet(_ request: AuthenticatedRequest) async throws -> Answer {
        let wallet = try await read.wallet(try request.identifier(), try request.access, until: request.deadline)
        guard let wallet else { throw Problem(.notFound) }
        return Answer(.ok, WalletBody(wallet))
    }

    private func freeze(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try request.decode(FreezeWalletRequest.self)
        return try await change(request, .freeze(body.block), reason: body.reason)
    }

    private func unfreeze(_ request: AuthenticatedRequest) async throws -> Answer {
        try await change(request, .unfreeze, reason: try request.decode(ReasonRequest.self).reason)
    }

    private func close(_ request: AuthenticatedRequest) async throws -> Answer {
        try await change(request, .close, reason: try request.decode(ReasonRequest.self).reason)
    }

    private func setOverdraftLimit(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try request.decode(OverdraftLimitRequest.self)
        return try await change(request, .setOverdraftLimit(body.limitMinor, body.currency), reason: body.reason)
    }

    /// A user opens wallets for themselves; naming somebody else names nobody.
    private func owned(_ request: OpenWalletRequest, by access: WalletAccess) throws -> OpenWalletRequest {
        guard case .user(let id) = access else { return request }
        guard request.ownerID == nil || request.ownerID == id else { throw Problem(.notFound) }
        return OpenWalletRequest(ownerID: id, currency: request.currency)
    }

    private func change(_ request: AuthenticatedRequest, _ change: WalletChange, reason: String) async throws -> Answer {
        let origin = try RequestOrigin(request, needsKey: false)
        let answer = try await changeWallet(try request.identifier(), change, reason: reason, origin)
        return try Answer(answer, status: .ok, refused: Problem.init)
    }
}

extension WalletBody {
    init(_ wallet: WalletState) {
        self.init(
            id: wallet.id, ownerID: wallet.ownerID, openedBy: wallet.openedBy, status: wallet.status, balance: BalanceBody(wallet),
            overdraftLimitMinor: wallet.overdraftLimitMinor, openedAt: wallet.openedAt)
    }
}
