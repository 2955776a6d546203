package import Contracts
package import Idempotency
import StrictJSON

extension RequestFingerprint {
    package static func transfer(_ request: TransferRequest) -> RequestFingerprint {
        RequestFingerprint(route: "POST /v1/transfers") { members in members.members(of: request) }
    }

    /// As a transfer of its own would have it.
    package static func transfer(_ item: IndependentTransferRequest) -> RequestFingerprint {
        switch item {
        case .known(let request): transfer(request)
        case .ofUnknownWallet(let source, let destination, let money, let reference):
            RequestFingerprint(route: "POST /v1/transfers") { members in
                members.member("source_wallet_id", source)
                members.member("destination_wallet_id", destination)
                members.members(of: money, reference)
            }
        }
    }

    /// - Parameter route: `POST /v1/deposits` or `POST /v1/withdrawals`.
    package static func funding(_ route: String, _ request: FundingRequest) -> RequestFingerprint {
        RequestFingerprint(route: route) { members in
            members.member("wallet_id", request.walletID.description)
            members.members(of: request.money, request.reference)
        }
    }

    package static func refund(of id: TransferID, _ request: RefundRequest) -> RequestFingerprint {
        RequestFingerprint(route: "POST /v1/transfers/{id}/refunds") { members in
            members.member("id", id.description)
            members.members(of: request.money, request.reference)
        }
    }

    package static func atomicBatch(_ transfers: [TransferRequest]) -> RequestFingerprint {
        RequestFingerprint(route: PostTransferBatch.route) { members in
            members.member("mode", TransferBatchMode.atomic.rawValue)
            members.name("transfers")
            members.array { items in
                for transfer in transfers { items.object { $0.members(of: transfer) } }
            }
        }
    }

    package static func placement(_ request: PlaceHoldRequest) -> RequestFingerprint {
        RequestFingerprint(route: "POST /v1/holds") { members in
            members.member("source_wallet_id", request.sourceWalletID.description)
            members.member("destination_wallet_id", request.destinationWalletID.description)
            members.members(of: request.money, nil)
            members.member("expires_in", request.expiresInSeconds)
        }
    }

    package static func capture(of id: HoldID, _ money: Money?, isFinal: Bool, reference: String?) -> RequestFingerprint {
        RequestFingerprint(route: "POST /v1/holds/{id}/capture") { members in
            members.member("id", id.description)
            members.members(of: money, reference)
            members.member("final", isFinal)
        }
    }

    package static func void(of id: HoldID) -> RequestFingerprint {
        RequestFingerprint(route: "POST /v1/holds/{id}/void") { members in members.member("id", id.description) }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of request: TransferRequest) {
        member("source_wallet_id", request.sourceWalletID.description)
        member("destination_wallet_id", request.destinationWalletID.description)
        members(of: request.money, request.reference)
    }

    fileprivate mutating func members(of money: Money?, _ reference: String?) {
        if let money {
            member("amount", money.amountMinor)
            member("currency", money.currency.code)
        }
        member("reference", ifPresent: reference)
    }
}
