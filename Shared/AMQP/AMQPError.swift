/// What went wrong between this process and RabbitMQ.
///
/// `description` is safe to log: kinds, reply codes and names, never a URL, a password or a message. `String(reflecting:)` adds the
/// broker's own words, which may quote arguments, and is for a developer's eyes only.
package struct AMQPError: Error, Sendable, Hashable {
    /// Which kind of failure it was, and so what the caller may do about it.
    package enum Kind: String, Sendable, Hashable {
        /// The broker could not be reached in time, or let nobody in; `replyCode` is 403 when it was the user's fault.
        case connectFailed = "connect_failed"
        /// The connection broke, was closed by the broker or was given up because the broker did not answer.
        case connectionLost = "connection_lost"
        /// The broker closed the channel because of something that was asked of it; the connection lives.
        case channelClosed = "channel_closed"
        /// The broker has the queue or exchange, but not as it is declared here.
        case topologyDrift = "topology_drift"
        /// The client was closed, or ran before.
        case closed
        /// The URL of the broker can't be used.
        case invalidConfiguration = "invalid_configuration"
    }

    package let kind: Kind
    /// The broker's reply code (AMQP 0-9-1, 1.2 and RabbitMQ's errata), such as 404.
    package let replyCode: Int?
    /// What differs, for `topologyDrift`.
    package let finding: TopologyFinding?
    private let safeDetail: String?
    private let brokerText: String?

    package init(_ kind: Kind, _ safeDetail: String? = nil) {
        self.init(kind, safeDetail, replyCode: nil, brokerText: nil)
    }

    init(_ kind: Kind, _ safeDetail: String? = nil, replyCode: Int?, brokerText: String?, finding: TopologyFinding? = nil) {
        self.kind = kind
        self.safeDetail = safeDetail
        self.replyCode = replyCode
        self.brokerText = brokerText
        self.finding = finding
    }

    /// The broker's words after the code's name, for reading what differs.
    var reply: String { brokerText ?? "" }

    /// The code's name as the broker spells it before a dash: `NOT_FOUND`.
    private var replyName: String? {
        guard let name = brokerText?.split(separator: " ", maxSplits: 1).first else { return nil }
        return name.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F } ? String(name) : nil
    }
}

extension AMQPError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        var text = "amqp: \(kind.rawValue)"
        if let replyCode { text += " \(replyCode)" }
        if let replyName { text += " \(replyName)" }
        if let safeDetail { text += ": \(safeDetail)" }
        if let finding { text += ": \(finding)" }
        return text
    }

    package var debugDescription: String { brokerText.map { "\(description)\nbroker: \($0)" } ?? description }
}
