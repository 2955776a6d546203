import Contracts
import HTTPService
import HTTPTypes
import ServiceRuntime

/// Transfers, deposits, withdrawals and refunds.
struct PostingRoutes {
    let postMoney: PostMoney
    let postBatch: PostTransferBatch
    let read: ReadLedger

    /// 512 KiB: 500 items with room to spare.
    private static let batchBodyLimit = 524_288

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/transfers", grants: [LedgerGrants.user, LedgerGrants.clientWrites]) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                return try Answer(await postMoney.transfer(try request.decode(), origin, key: key))
            },
            Endpoint(
                .post, "/v1/transfers/batch", grants: [LedgerGrants.user, LedgerGrants.clientWrites], bodyLimit: Self.batchBodyLimit
            ) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                return try Answer(try await postBatch(try request.decode(), origin, key: key))
            },
            Endpoint(.post, "/v1/deposits", grants: [LedgerGrants.clientFunds]) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                return try Answer(await postMoney.deposit(try request.decode(), origin, key: key))
            },
            Endpoint(.post, "/v1/withdrawals", grants: [LedgerGrants.clientFunds]) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                return try Answer(await postMoney.withdrawal(try request.decode(), origin, key: key))
            },
            Endpoint(
                .post, "/v1/transfers/{id}/refunds", grants: [LedgerGrants.user, LedgerGrants.clientWrites, LedgerGrants.staff]
            ) { request in
                let (origin, key) = try RequestOrigin.keyed(request)
                let body: RefundRequest = try request.decode()
                return try Answer(await postMoney.refund(of: try request.identifier(), body, origin, key: key))
            },
            Endpoint(
                .get, "/v1/transfers/{id}", grants: [LedgerGrants.user, LedgerGrants.clientReads, LedgerGrants.staff]
            ) { request in
                let body = try await read.transfer(try request.identifier(), try request.access, until: request.deadline)
                guard let body else { throw Problem(.notFound) }
                return Answer(.ok, body)
            },
        ]
    }
}
