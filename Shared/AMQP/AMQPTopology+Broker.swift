extension AMQPTopology {
    /// Makes what is missing, on a connection of its own, and leaves what is there.
    /// - Throws: `topologyDrift` when something exists in another shape, saying which and how; then what comes before it is made.
    ///   `connectFailed`, `connectionLost`.
    package func declare(on configuration: AMQPConfiguration, name: String = "topology") async throws(AMQPError) {
        _ = try await session(configuration, name: name) { session throws(AMQPError) in
            try session.declare(self)
            return []
        }
    }

    /// Compares the broker with this topology and changes nothing. Bindings can't be asked for in AMQP and are not compared.
    /// - Returns: everything that is missing or differs.
    /// - Throws: `connectFailed`, `connectionLost`.
    package func findings(on configuration: AMQPConfiguration, name: String = "topology") async throws(AMQPError) -> [TopologyFinding] {
        try await session(configuration, name: name) { session throws(AMQPError) in try session.compare(self) }
    }

    private func session(
        _ configuration: AMQPConfiguration, name: String,
        _ body: @escaping @Sendable (AMQPSession) throws(AMQPError) -> [TopologyFinding]
    ) async throws(AMQPError) -> [TopologyFinding] {
        let result = await BlockingThread.run { () -> Result<[TopologyFinding], AMQPError> in
            // Only requests here, which have the library's own time-outs.
            let lifeline = Lifeline(limit: AMQPSession.rpcTimeout)
            return Result { () throws(AMQPError) in
                let session = AMQPSession(try OpenedConnection(configuration, name: name), lifeline: lifeline)
                try session.openChannel()
                let findings = try body(session)
                session.close()
                return findings
            }
        }
        guard let result else { throw AMQPError(.connectFailed, "no thread for a connection") }
        return try result.get()
    }
}

extension AMQPSession {
    /// - Throws: `topologyDrift`, `connectionLost`.
    func declare(_ topology: AMQPTopology) throws(AMQPError) {
        for exchange in topology.exchanges {
            try reporting(.exchange, exchange.name) { () throws(AMQPError) in try declare(exchange) }
        }
        for queue in topology.queues {
            try reporting(.queue, queue.name) { () throws(AMQPError) in try declare(queue) }
        }
        for binding in topology.bindings {
            try reporting(.binding, "\(binding.exchange) \(binding.routingKey) \(binding.queue)") { () throws(AMQPError) in try bind(binding) }
        }
    }

    /// A passive declaration only looks for the name; one that is not passive compares the arguments, and makes nothing where the name exists.
    func compare(_ topology: AMQPTopology) throws(AMQPError) -> [TopologyFinding] {
        var findings: [TopologyFinding] = []
        for exchange in topology.exchanges {
            let found = try finding(.exchange, exchange.name) { () throws(AMQPError) in
                try declare(exchange, isPassive: true)
                try declare(exchange)
            }
            if let found { findings.append(found) }
        }
        for queue in topology.queues {
            let found = try finding(.queue, queue.name) { () throws(AMQPError) in
                try declare(queue, isPassive: true)
                try declare(queue)
            }
            if let found { findings.append(found) }
        }
        return findings
    }

    private func reporting(
        _ subject: TopologyFinding.Subject, _ name: String, _ step: () throws(AMQPError) -> Void
    ) throws(AMQPError) {
        guard let finding = try finding(subject, name, step) else { return }
        throw AMQPError(.topologyDrift, nil, replyCode: nil, brokerText: nil, finding: finding)
    }

    /// - Returns: what the broker says against the step, after which the channel is open again.
    private func finding(
        _ subject: TopologyFinding.Subject, _ name: String, _ step: () throws(AMQPError) -> Void
    ) throws(AMQPError) -> TopologyFinding? {
        do throws(AMQPError) {
            try step()
            return nil
        } catch {
            guard error.kind == .channelClosed else { throw error }
            try openChannel()
            return TopologyFinding(error, about: subject, named: name)
        }
    }
}
