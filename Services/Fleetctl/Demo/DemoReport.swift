import Contracts
import ServiceRuntime
import StrictJSON

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
        guard answer.status == code.status, answer.code == code.rawValue else {
            throw DemoFailure(step: title, expected: "\(code.status) \(code.rawValue)", got: answer.summary)
        }
    }

    /// - Throws: ``DemoFailure`` unless the answer's member is a string.
    func string(_ name: String, of answer: DemoAnswer) throws -> String {
        guard let text = answer.json[name]?.stringValue else {
            throw DemoFailure(step: title, expected: "a member \(name)", got: answer.summary)
        }
        return text
    }
}

/// Prints the steps as they pass.
struct DemoReport: Sendable {
    let print: @Sendable (String) -> Void

    /// Runs one step and prints its line, with what it found if that says more than the title.
    ///
    /// - Throws: ``UnreachableDependency`` when something that the step needs does not answer, otherwise ``DemoFailure``.
    func step(_ title: String, _ body: (DemoStep) async throws -> String?) async throws {
        let found: String?
        do {
            found = try await body(DemoStep(title: title))
        } catch let failure as DemoFailure {
            throw failure
        } catch let failure as UnreachableDependency {
            print("✗ \(title)")
            throw failure
        } catch {
            throw DemoFailure(step: title, expected: "an answer", got: "\(error)")
        }
        print("✓ \(title)" + (found.map { ": \($0)" } ?? ""))
    }
}
