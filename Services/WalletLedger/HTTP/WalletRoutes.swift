import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

/// Wallets: opening, reading, and what staff may change.
struct WalletRoutes {
    let openWallet: OpenWallet
    let changeWallet: ChangeWallet
    let read: ReadLedger

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/wallets", grants: [LedgerGrants.user, LedgerGrants.clientWrites]) { request in
                let origin = try RequestOrigin(request, needsKey: false)
                let body = try owned(request.decode(), by: origin.access)
                return try Answer(try await openWallet(body, origin), status: .created)
            },
            Endpoint(.get, "/v1/wallets/{id}", grants: LedgerGrants.readers) { request in
                Answer(.ok, WalletBody(try await wallet(request)))
            },
            Endpoint(.post, "/v1/wallets/{id}/freeze", grants: [LedgerGrants.staff]) { request in
                let body: FreezeWalletRequest = try request.decode()
                return try await change(request, .freeze(body.block), reason: body.reason)
            },
            Endpoint(.post, "/v1/wallets/{id}/unfreeze", grants: [LedgerGrants.staff]) { request in
                let body: ReasonRequest = try request.decode()
                return try await change(request, .unfreeze, reason: body.reason)
            },
            Endpoint(.post, "/v1/wallets/{id}/close", grants: [LedgerGrants.staff]) { request in
                let body: ReasonRequest = try request.decode()
                return try await change(request, .close, reason: body.reason)
            },
            Endpoint(.put, "/v1/wallets/{id}/overdraft-limit", grants: [LedgerGrants.staff]) { request in
                let body: OverdraftLimitRequest = try request.decode()
                return try await change(request, .setOverdraftLimit(body.limitMinor, body.currency), reason: body.reason)
            },
        ]
    }

    /// A user opens wallets for themselves; naming somebody else names nobody.
    private func owned(_ request: OpenWalletRequest, by access: WalletAccess) throws -> OpenWalletRequest {
        guard case .user(let id) = access else { return request }
        guard request.ownerID == nil || request.ownerID == id else { throw Problem(.notFound) }
        return OpenWalletRequest(ownerID: id, currency: request.currency)
    }

    private func wallet(_ request: AuthenticatedRequest) async throws -> WalletState {
        let wallet = try await read.wallet(try request.identifier(), try request.access, until: request.deadline)
        guard let wallet else { throw Problem(.notFound) }
        return wallet
    }

    private func change(_ request: AuthenticatedRequest, _ change: WalletChange, reason: String) async throws -> Answer {
        let origin = try RequestOrigin(request, needsKey: false)
        return try Answer(try await changeWallet(try request.identifier(), change, reason: reason, origin), status: .ok)
    }
}

extension WalletBody {
    init(_ wallet: WalletState) {
        self.init(
            id: wallet.id, ownerID: wallet.ownerID, openedBy: wallet.openedBy, status: wallet.status, balance: BalanceBody(wallet),
            overdraftLimitMinor: wallet.overdraftLimitMinor, openedAt: wallet.openedAt)
    }
}
