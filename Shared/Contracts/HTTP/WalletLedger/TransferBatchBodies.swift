/// How the items of a batch stand together.
package enum TransferBatchMode: String, Sendable, Hashable, CaseIterable {
    /// All or nothing: the first refusal refuses the batch.
    case atomic
    /// Each on its own, in order.
    case independent
}

/// `POST /v1/transfers/batch`: 1 to 500 transfers under one key.
package struct TransferBatchRequest: WireDecodable, Hashable {
    package static let maximumItems = 500

    package let mode: TransferBatchMode
    package let transfers: [TransferRequest]

    package init(mode: TransferBatchMode, transfers: [TransferRequest]) {
        self.mode = mode
        self.transfers = transfers
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let text = try object.string("mode", length: 1...16)
        guard let mode = TransferBatchMode(rawValue: text) else {
            throw RequestFault(.malformedRequest, pointer: "/mode", detail: "Must be `atomic` or `independent`.")
        }
        self.mode = mode
        transfers = try object.items("transfers", count: 1...Self.maximumItems)
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
