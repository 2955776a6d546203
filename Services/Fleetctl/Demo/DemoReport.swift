import Contracts
import ServiceRuntime

/// The first step that went otherwise than it had to.
struct DemoFailure: Error, Sendable, Hashable, CustomStringConvertible {
    let step: String
    let expected: String
    let got: String

    var description: String { "\(step)\n  expected: \(expected)\n  got:      \(got)" }
}

/// One step: what it shows, and the comparisons that decide it.
struct DemoStep: Sendable {
    let title: String

    /// - Throws: ``DemoFailure`` unless both are equal.
    func expect<Value: Equatable>(_ what: String, _ expected: Value, _ got: Value) throws {
        guard expected == got else { throw DemoFailure(step: title, expected: "\(what) \(expected)", got: "\(got)") }
    }

    /// - Throws: ``DemoFailure`` unless the answer has this status.
    func expect(_ answer: DemoAnswer, status: Int) throws {
        guard answer.status == status else { throw DemoFailure(step: title, expected: "\(status)", got: answer.summary) }
    }

    /// - Throws: ``DemoFailure`` unless the answer is this problem.
    func expect(_ answer: DemoAnswer, _ code: ProblemCode) throws {
        guard answer.status == code.status, answer.problem?.code == code else {
            throw DemoFailure(step: title, expected: "\(code.status) \(code.rawValue)", got: answer.summary)
        }
    }

    /// The answer's body.
    ///
    /// - Throws: ``DemoFailure`` unless the answer has this status and its body can be read.
    func read<Body: WireBody>(_ answer: DemoAnswer, status: Int, as: Body.Type = Body.self) throws -> Body {
        try expect(answer, status: status)
        do {
            return try Body(wireBytes: answer.body)
        } catch {
            let fault = error.errors.map { "\($0.pointer) \($0.detail)" }.joined(separator: ", ")
            throw DemoFailure(step: title, expected: "a \(Body.self)", got: fault)
        }
    }
}

/// Prints the steps as they pass.
struct DemoReport: Sendable {
    let print: @Sendable (String) -> Void

    /// Runs one step and prints its line, with what it found if that says more than the title.
    ///
    /// - Throws: ``UnreachableDependency`` when something that the step needs does not answer, otherwise ``DemoFailure``.
    func step(_ title: String, _ body: (DemoStep) async throws -> String?) async throws {
        _ = try await find(title) { step in (found: (), shown: try await body(step)) }
    }

    /// Runs one step that finds what later ones need, and shows something of it in its line.
    ///
    /// - Throws: as ``step(_:_:)``.
    func find<Found: Sendable>(
        _ title: String, _ body: (DemoStep) async throws -> (found: Found, shown: String?)
    ) async throws -> Found {
        let found: Found
        let shown: String?
        do {
            (found, shown) = try await body(DemoStep(title: title))
        } catch let failure as DemoFailure {
            throw failure
        } catch let failure as UnreachableDependency {
            print("✗ \(title)")
            throw failure
        } catch {
            throw DemoFailure(step: title, expected: "an answer", got: "\(error)")
        }
        print("✓ \(title)" + (shown.map { ": \($0)" } ?? ""))
        return found
    }
}
