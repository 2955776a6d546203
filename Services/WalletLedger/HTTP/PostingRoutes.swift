import Contracts
import HTTPTypes
import ServiceRuntime

/// Transfers, deposits, withdrawals and refunds.
struct PostingRoutes {
    let postMoney: PostMoney
    let read: ReadLedger

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/transfers", grants: [LedgerGrants.user, LedgerGrants.clientWrites]) { request in
                let (origin, key) = try keyed(request)
                return try Answer(await postMoney.transfer(try request.decode(), origin, key: key))
            },
            Endpoint(.post, "/v1/deposits", grants: [LedgerGrants.clientFunds]) { request in
                let (origin, key) = try keyed(request)
                return try Answer(await postMoney.deposit(try request.decode(), origin, key: key))
            },
            Endpoint(.post, "/v1/withdrawals", grants: [LedgerGrants.clientFunds]) { request in
                let (origin, key) = try keyed(request)
                return try Answer(await postMoney.withdrawal(try request.decode(), origin, key: key))
            },
            Endpoint(
                .post, "/v1/transfers/{id}/refunds", grants: [LedgerGrants.user, LedgerGrants.clientWrites, LedgerGrants.staff]
            ) { request in
                let (origin, key) = try keyed(request)
                let body: RefundRequest = try request.decode()
                return try Answer(await postMoney.refund(of: try request.identifier(), body, origin, key: key))
            },
            Endpoint(
                .get, "/v1/transfers/{id}", grants: [LedgerGrants.user, LedgerGrants.clientReads, LedgerGrants.staff]
            ) { request in
                guard let body = try await read.transfer(try request.identifier(), try request.access) else { throw Problem(.notFound) }
                return Answer(.ok, body)
            },
        ]
    }

    private func keyed(_ request: AuthenticatedRequest) throws -> (RequestOrigin, ScopedKey) {
        let origin = try RequestOrigin(request, needsKey: true)
        guard let key = origin.key else { throw Problem(.idempotencyKeyMissing) }
        return (origin, key)
    }
}
