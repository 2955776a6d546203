package import Contracts
import HTTPService
package import Idempotency
package import StrictJSON

extension CanonicalRequest {
    package static func transfer(_ request: TransferRequest) -> ExactText {
        render(route: "POST /v1/transfers", members(request))
    }

    package static func members(_ request: TransferRequest) -> [(name: StaticString, value: JSONValue?)] {
        [
            ("source_wallet_id", .string(request.sourceWalletID.description)),
            ("destination_wallet_id", .string(request.destinationWalletID.description)),
        ] + members(request.money, request.reference)
    }

    /// As a transfer of its own would have it.
    package static func transfer(_ item: IndependentTransferRequest) -> ExactText {
        switch item {
        case .known(let request): transfer(request)
        case .ofUnknownWallet(let source, let destination, let money, let reference):
            render(
                route: "POST /v1/transfers",
                [("source_wallet_id", .string(source)), ("destination_wallet_id", .string(destination))] + members(money, reference))
        }
    }

    package static func members(_ money: Money?, _ reference: String?) -> [(name: StaticString, value: JSONValue?)] {
        [
            ("amount", money.map { .number(String($0.amountMinor)) }), ("currency", money.map { .string($0.currency.code) }),
            ("reference", reference.map { .string($0) }),
        ]
    }
}
