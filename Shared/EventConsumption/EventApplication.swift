internal import Contracts
internal import FoundationEssentials
internal import Postgres

/// Applies events: the notes that they are processed and what their handlers do are one transaction.
struct EventApplication: Sendable {
    let subscription: EventSubscription
    let transaction: TransactionOptions
    let processed: ProcessedEvents

    init(_ subscription: EventSubscription, transaction: TransactionOptions) {
        self.subscription = subscription
        self.transaction = transaction
        processed = ProcessedEvents(consumer: subscription.name)
    }

    /// Applies, in one transaction, those that have not been applied.
    ///
    /// - Returns: The ids of those that were applied now.
    /// - Throws: What a handler throws; `PostgresError`. Nothing is applied then, unless the kind is `commitOutcomeUnknown`.
    func apply(_ events: [DecodedEvent], on pool: PostgresPool) async throws -> Set<UUID> {
        try await pool.withSession { session in
            // BEGIN and the insertion are one round trip.
            let results = try session.begin(transaction, then: [processed.insertion(of: events.map(\.envelope))])
            do {
                let new = try processed.inserted(results.first)
                try handle(events, new, session)
                try session.commit()
                return new
            } catch {
                session.rollback()
                throw error
            }
        }
    }

    /// Applies those that have not been applied, within the transaction that is open.
    ///
    /// - Returns: The ids of those that were applied now.
    func apply(_ events: [DecodedEvent], within session: PostgresSession) throws -> Set<UUID> {
        let new = try processed.inserted(try session.query(processed.insertion(of: events.map(\.envelope))))
        try handle(events, new, session)
        return new
    }

    /// Hands each handler its events in runs, in the order of arrival; one that arrived twice goes to it once.
    private func handle(_ events: [DecodedEvent], _ new: Set<UUID>, _ session: PostgresSession) throws {
        var remaining = new
        var run: [DecodedEvent] = []
        func finishRun() throws {
            guard let first = run.first else { return }
            try subscription.handlers[first.handler].apply(run, session)
            run.removeAll(keepingCapacity: true)
        }
        for event in events where remaining.remove(event.envelope.id.uuid) != nil {
            if let first = run.first, first.handler != event.handler { try finishRun() }
            run.append(event)
        }
        try finishRun()
    }
}
