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

    private static let payers = TokenAccess.signedWithToken([LedgerGrants.user, LedgerGrants.clientWrites])
    private static let funders = TokenAccess.signedWithToken([LedgerGrants.clientFunds])
    private static let refunders = TokenAccess.signedWithToken([LedgerGrants.user, LedgerGrants.clientWrites, LedgerGrants.staff])
    private static let readers = TokenAccess.signedWithToken(LedgerGrants.readers)

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/v1/transfers", access: Self.payers, body: .json, keepsKey: true, handler: transfer),
            Endpoint(.post, "/v1/transfers/batch", access: Self.payers, body: .json, bodyLimit: Self.batchBodyLimit, keepsKey: true, handler: batch),
            Endpoint(.post, "/v1/deposits", access: Self.funders, body: .json, keepsKey: true, handler: deposit),
            Endpoint(.post, "/v1/withdrawals", access: Self.funders, body: .json, keepsKey: true, handler: withdrawal),
            Endpoint(.post, "/v1/transfers/{id}/refunds", access: Self.refunders, body: .json, keepsKey: true, handler: refund),
            Endpoint(.get, "/v1/transfers/{id}", access: Self.readers, handler: posting),
        ]
    }

    private func transfer(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        return try Answer(await postMoney.transfer(try request.decode(TransferRequest.self), origin, key: key))
    }

    private func batch(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        return try Answer(try await postBatch(try request.decode(TransferBatchRequest.self), origin, key: key))
    }

    private func deposit(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        return try Answer(await postMoney.deposit(try request.decode(FundingRequest.self), origin, key: key))
    }

    private func withdrawal(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        return try Answer(await postMoney.withdrawal(try request.decode(FundingRequest.self), origin, key: key))
    }

    private func refund(_ request: AuthenticatedRequest) async throws -> Answer {
        let (origin, key) = try RequestOrigin.keyed(request)
        let body = try request.decode(RefundRequest.self)
        return try Answer(await postMoney.refund(of: try request.identifier(), body, origin, key: key))
    }

    private func posting(_ request: AuthenticatedRequest) async throws -> Answer {
        let body = try await read.transfer(try request.identifier(), try request.access, until: request.deadline)
        guard let body else { throw Problem(.notFound) }
        return Answer(.ok, body)
    }
}
