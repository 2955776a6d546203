package import StrictJSON

/// What became of one item of a batch.
package enum TransferBatchItemBody: WireBody {
    /// 201: posted, now or under the same key before.
    case posted(TransferID)
    /// The item's problem, as a request of its own would have been answered.
    case problem(Problem)

    private static let created: Int64 = 201

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        let status = try object.integer("status", in: Self.created...599)
        guard status != Self.created else {
            self = .posted(try object.identifier("id"))
            return
        }
        let problem: Problem = try object.object("problem")
        guard status == problem.status else { throw object.refusal("status", "Contradicts `problem`.") }
        self = .problem(problem)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .posted(let id):
                writer.member("status", Self.created)
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
package struct TransferBatchBody: WireBody {
    package let mode: TransferBatchMode
    package let results: [TransferBatchItemBody]

    package init(mode: TransferBatchMode, results: [TransferBatchItemBody]) {
        self.mode = mode
        self.results = results
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        mode = try object.choice("mode")
        results = try object.items("results", count: 1...TransferBatchRequest.maximumItems)
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
