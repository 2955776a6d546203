import Foundation
import Idempotency
import Postgres
import Synchronization
import TestSupport
import Testing

/// Two replicas, few keys, few boxes; requests at the same time, some of which break off in the middle of their transaction.
@Suite("Requests with a key, in any order and with crashes")
struct IdempotencyPropertyTests {
    private struct Crash: Error {}

    private struct Request: Hashable, Sendable {
        let box: Int
        let amount: Int64
        let key: String
        let replica: Int
        let breaksOff: Bool

        init(_ random: inout SeededGenerator) {
            box = Int.random(in: 0..<2, using: &random)
            amount = Int64.random(in: 1...3, using: &random)
            key = "k-\(Int.random(in: 0..<8, using: &random))"
            replica = Int.random(in: 0..<2, using: &random)
            breaksOff = Int.random(in: 0..<4, using: &random) == 0
        }
    }

    @Test("each key has one request, one effect and one answer", arguments: [1, 2, 3] as [UInt64])
    func property(_ seed: UInt64) async throws {
        let service = try await BoxService(DatabasePath.allCases[Int(seed % 2)], replicas: 2)
        let boxes = [try await service.newBox(), try await service.newBox()]
        var random = SeededGenerator(seed: seed)
        var answered: [(request: Request, answer: FillAnswer)] = []
        for _ in 0..<30 {
            let requests = (0..<4).map { _ in Request(&random) }
            answered += try await withThrowingTaskGroup(of: (Request, FillAnswer)?.self) { group in
                for request in requests {
                    group.addTask {
                        let fill = service.replica(request.replica) { _ in if request.breaksOff { throw Crash() } }
                        do {
                            while true {
                                let answer = try await fill(boxes[request.box], request.amount, key: request.key)
                                if answer != .inProgress { return (request, answer) }
                            }
                        } catch is Crash {
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: []) { if let answer = $1 { $0.append(answer) } }
            }
        }
        var fillings: [Int: Int64] = [:]
        for (key, answers) in Dictionary(grouping: answered, by: \.request.key) {
            let decided = answers.filter { if case .keyReused = $0.answer { false } else { true } }
            let first = try #require(decided.first { !$0.answer.isReplay }, "\(key): nothing but repeats")
            #expect(decided.count { !$0.answer.isReplay } == 1, "\(key)")
            for (request, answer) in answers {
                let isSame = (request.box, request.amount) == (first.request.box, first.request.amount)
                switch (answer, first.answer) {
                case (.keyReused, _): #expect(!isSame, "\(key)")
                case (.done(let body, _), .done(let firstBody, _)): #expect(isSame && body == firstBody, "\(key)")
                case (.refused(let reason, let requestID, _), .refused(let firstReason, let firstID, _)):
                    #expect(isSame && reason == firstReason && requestID == firstID, "\(key)")
                default: Issue.record("\(key): \(answer) after \(first.answer)")
                }
            }
            if case .done = first.answer { fillings[first.request.box, default: 0] += first.request.amount }
        }
        for (index, box) in boxes.enumerated() {
            let (content, filled) = try await service.content(box)
            #expect(content == filled && content == fillings[index, default: 0] && content <= FillBox.limit)
        }
    }
}
