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
package enum TransferBatchRequest: WireDecodable, Hashable {
    case atomic([TransferRequest])
    case independent([IndependentTransfer])

    package static let maximumItems = 500

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let text = try object.string("mode", length: 1...16)
        guard let mode = TransferBatchMode(rawValue: text) else {
            throw RequestFault(.malformedRequest, pointer: "/mode", detail: "Must be `atomic` or `independent`.")
        }
        switch mode {
        case .atomic: self = .atomic(try object.items("transfers", count: 1...Self.maximumItems))
        case .independent: self = .independent(try object.items("transfers", count: 1...Self.maximumItems))
        }
    }
}

/// An item of an independent batch.
package enum IndependentTransfer: WireDecodable, Hashable {
    case known(TransferRequest)
    /// One of its wallets is named by what can't be a wallet's id, and so names nothing that exists. The texts are as they were given.
    case ofUnknownWallet(source: String, destination: String, Money, reference: String?)

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let source = try object.text("source_wallet_id")
        let destination = try object.text("destination_wallet_id")
        let money = try object.money()
        let reference = try object.optionalString("reference", length: referenceLength)
        if let sourceID = WalletID(source), let destinationID = WalletID(destination) {
            self = .known(
                TransferRequest(sourceWalletID: sourceID, destinationWalletID: destinationID, money: money, reference: reference))
        } else {
            self = .ofUnknownWallet(source: source, destination: destination, money, reference: reference)
        }
    }
}

/// What became of one item of a batch.
package enum TransferBatchItem: WireEncodable, Hashable {
    /// 201: posted, now or under the same key before.
    case posted(TransferID)
    /// The item's problem, as a request of its own would have been answered.
    case problem(Problem)

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .posted(let id):
                writer.member("status", 201)
                writer.member("id", id.description)
            case .problem(let problem):
                writer.member("status", Int64(problem.status))
                writer.name("problem")
                problem.encode(into: &writer)
            }
        }
    }
}

/// The answer to a batch: one result per item, in order.
package struct TransferBatchBody: WireEncodable, Hashable {
    package let mode: TransferBatchMode
    package let results: [TransferBatchItem]

    package init(mode: TransferBatchMode, results: [TransferBatchItem]) {
        self.mode = mode
        self.results = results
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("mode", mode.rawValue)
            writer.name("results")
            writer.array { writer in
                for result in results { result.encode(into: &writer) }
            }
        }
    }
}
