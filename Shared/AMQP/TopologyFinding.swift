/// Where the broker differs from a topology. Holds names and settings, so it is safe to log.
package struct TopologyFinding: Sendable, Hashable, CustomStringConvertible {
    package enum Subject: String, Sendable, Hashable {
        case exchange, queue, binding
    }

    package enum Difference: Sendable, Hashable {
        case missing
        /// It exists with another value of this argument. Both are in the broker's words; nil when it didn't tell.
        case argument(name: String, wanted: String?, found: String?)
        /// The broker refuses it for another reason, such as a permission.
        case refused(code: Int)
    }

    package let subject: Subject
    package let name: String
    package let difference: Difference

    package init(_ subject: Subject, _ name: String, _ difference: Difference) {
        self.subject = subject
        self.name = name
        self.difference = difference
    }

    init(missing subject: Subject, _ name: String) { self.init(subject, name, .missing) }

    package var description: String {
        switch difference {
        case .missing: "\(subject.rawValue) \(name) is missing"
        case .argument(let argument, let wanted, let found):
            "\(subject.rawValue) \(name) has \(argument) \(found ?? "otherwise"), wanted \(wanted ?? "otherwise")"
        case .refused(let code): "\(subject.rawValue) \(name) is refused with \(code)"
        }
    }
}

extension TopologyFinding {
    private static let notFound = 404
    private static let preconditionFailed = 406

    /// What the broker says in closing the channel over a declaration:
    /// `PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '/': received 'direct' but current is 'topic'`.
    init(_ error: AMQPError, about subject: Subject, named name: String) {
        let difference: Difference
        switch error.replyCode {
        case Self.notFound: difference = .missing
        case Self.preconditionFailed:
            let said = error.reply
            let argument = said.firstMatch(of: /inequivalent arg '([^']*)'/).map { String($0.1) }
            let values = said.firstMatch(of: /received (.*?) but current is (.*)$/)
            difference = .argument(
                name: argument ?? "its arguments", wanted: values.map { Self.word($0.1) }, found: values.map { Self.word($0.2) })
        case let code: difference = .refused(code: code ?? 0)
        }
        self.init(subject, name, difference)
    }

    /// `'topic'`, `none` or `the value '5000' of type 'signedint'` as one word.
    private static func word(_ text: Substring) -> String {
        text.firstMatch(of: /'([^']*)'/).map { String($0.1) } ?? String(text)
    }
}
