package import StrictJSON

/// How the items of a batch stand together.
package enum TransferBatchMode: String, Sendable, Hashable, CaseIterable {
    /// All or nothing: the first refusal refuses the batch.
    case atomic
    /// Each on its own, in order.
    case independent
}

/// `POST /v1/transfers/batch`: 1 to 500 transfers under one key.
///
/// What can't be read (a member of another type, an amount out of range, a currency that nobody knows) refuses the whole batch, whatever
/// its mode. What a request of its own would be refused for by what exists, a wallet's id that can't be one included, is the matter of
/// its item in an independent batch, and refuses an atomic one.
package enum TransferBatchRequest: WireRequest {
    case atomic([TransferRequest])
    case independent([IndependentTransferRequest])

    package static let maximumItems = 500

    package var mode: TransferBatchMode {
        switch self {
        case .atomic: .atomic
        case .independent: .independent
        }
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        switch try object.choice("mode", as: TransferBatchMode.self) {
        case .atomic: self = .atomic(try object.items("transfers", count: 1...Self.maximumItems))
        case .independent: self = .independent(try object.items("transfers", count: 1...Self.maximumItems))
        }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("mode", mode.rawValue)
            writer.name("transfers")
            writer.array { writer in
                switch self {
                case .atomic(let transfers): for transfer in transfers { transfer.encode(into: &writer) }
                case .independent(let transfers): for transfer in transfers { transfer.encode(into: &writer) }
                }
            }
        }
    }
}

/// An item of an independent batch.
package enum IndependentTransferRequest: WireRequest {
    case known(TransferRequest)
    /// One of its wallets is named by what can't be a wallet's id, and so names nothing that exists. The texts are as they were given.
    case ofUnknownWallet(source: String, destination: String, Money, reference: String?)

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let source = try object.text("source_wallet_id")
        let destination = try object.text("destination_wallet_id")
        let money = try object.money()
        let reference = try object.optionalString("reference", length: PostingReference.length)
        if let sourceID = WalletID(source), let destinationID = WalletID(destination) {
            self = .known(
                TransferRequest(sourceWalletID: sourceID, destinationWalletID: destinationID, money: money, reference: reference))
        } else {
            self = .ofUnknownWallet(source: source, destination: destination, money, reference: reference)
        }
    }

    package func encode(into writer: inout JSONWriter) {
        switch self {
        case .known(let transfer): transfer.encode(into: &writer)
        case .ofUnknownWallet(let source, let destination, let money, let reference):
            writer.object { writer in
                writer.member("source_wallet_id", source)
                writer.member("destination_wallet_id", destination)
                writer.members(money)
                if let reference { writer.member("reference", reference) }
            }
        }
    }
}
