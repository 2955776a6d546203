internal import BlockingCalls

extension AMQPTopology {
    /// Makes what is missing, on a connection of its own, and leaves what is there.
    /// - Throws: `topologyDrift` when something exists in another shape, saying which and how; then what comes before it is made.
    ///   `connectFailed`, `connectionLost`.
    package func declare(on configuration: AMQPConfiguration, name: String = "topology") async throws(AMQPError) {
        try await session(configuration, name: name) { session throws(AMQPError) in try session.declare(self) }
    }

    /// Makes what is missing, on a connection of its own, and leaves what is there in another shape; nothing is bound to or from that, so
    /// that what would go that way stays with its publisher.
    /// - Parameter obsolete: Bindings to take away; those that are not there do no harm.
    /// - Throws: `connectFailed`, `connectionLost`; then some of it may be made.
    package func apply(
        on configuration: AMQPConfiguration, name: String = "topology", removing obsolete: [AMQPBinding] = []
    ) async throws(AMQPError) -> TopologyChange {
        try await session(configuration, name: name) { session throws(AMQPError) in try session.apply(self, removing: obsolete) }
    }

    /// Compares the broker with this topology and changes nothing. Bindings can't be asked for in AMQP and are not compared.
    /// - Returns: everything that is missing or differs.
    /// - Throws: `connectFailed`, `connectionLost`.
    package func findings(on configuration: AMQPConfiguration, name: String = "topology") async throws(AMQPError) -> [TopologyFinding] {
        try await session(configuration, name: name) { session throws(AMQPError) in try session.compare(self) }
    }

    private func session<Value: Sendable>(
        _ configuration: AMQPConfiguration, name: String, _ body: @escaping @Sendable (AMQPSession) throws(AMQPError) -> Value
    ) async throws(AMQPError) -> Value {
        let result = await BlockingThread.run { () -> Result<Value, AMQPError> in
            // Only requests here, which have the library's own time-outs.
            let watchdog = CallWatchdog(limit: AMQPSession.rpcTimeout)
            return Result { () throws(AMQPError) in
                let session = try AMQPSession(OpenedConnection(configuration, name: name), watchdog: watchdog)
                try session.openChannel()
                let value = try body(session)
                session.close()
                return value
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
            try reporting(.binding, binding.description) { () throws(AMQPError) in try bind(binding) }
        }
    }

    /// As ``declare(_:)``, but what can't be made stops nothing else.
    func apply(_ topology: AMQPTopology, removing obsolete: [AMQPBinding]) throws(AMQPError) -> TopologyChange {
        let before = try compare(topology)
        var change = TopologyChange(made: [], remaining: before.filter { $0.difference != .missing })
        for exchange in topology.exchanges where before.contains(missing: .exchange, exchange.name) {
            change.note(.exchange, exchange.name, try finding(.exchange, exchange.name) { () throws(AMQPError) in try declare(exchange) })
        }
        for queue in topology.queues where before.contains(missing: .queue, queue.name) {
            change.note(.queue, queue.name, try finding(.queue, queue.name) { () throws(AMQPError) in try declare(queue) })
        }
        let asWanted = { (binding: AMQPBinding) in
            !change.remaining.contains { $0.subject == .exchange && $0.name == binding.exchange || $0.subject == .queue && $0.name == binding.queue }
        }
        var refused: [TopologyFinding] = []
        for binding in topology.bindings where asWanted(binding) {
            if let found = try finding(.binding, binding.description, { () throws(AMQPError) in try bind(binding) }) { refused.append(found) }
        }
        for binding in obsolete where asWanted(binding) {
            if let found = try finding(.binding, binding.description, { () throws(AMQPError) in try unbind(binding) }) { refused.append(found) }
        }
        change.remaining += refused
        return change
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
