package import EventBroker
package import ServiceDatabase
package import ServiceRuntime

extension EventConsumer {
    /// As a service's composition makes it.
    ///
    /// - Throws: ``InvalidConfiguration`` when the file of the dead letters' keys can't be used; `AMQPError`.
    package convenience init(
        _ subscription: EventSubscription, _ settings: ConsumptionSettings, broker: BrokerSettings, database: DatabaseAccess,
        _ context: ProcessContext
    ) throws {
        try self.init(
            subscription, broker: broker.configuration, pool: database.pool, keys: try settings.keys(), options: settings.options,
            clock: database.clock, logger: context.logger, tracer: context.tracer, metrics: context.metrics)
    }
}
