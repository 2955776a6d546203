internal import CRabbitMQ

/// What is asked of the broker and answered by it; each request waits for its answer, ten seconds at most.
extension AMQPSession {
    func openChannel() throws(AMQPError) {
        _ = amqp_channel_open(pointer, Self.channel)
        try checkReply()
    }

    /// From now on the broker counts what is published on this channel, from 1, and answers for each.
    func selectConfirms() throws(AMQPError) {
        _ = amqp_confirm_select(pointer, Self.channel)
        try checkReply()
    }

    /// How many deliveries may be unsettled at one time.
    func limitPrefetch(to count: UInt16) throws(AMQPError) {
        _ = amqp_basic_qos(pointer, Self.channel, 0, count, 0)
        try checkReply()
    }

    /// - Throws: `channelClosed` with 404 when there is no such queue.
    func subscribe(to queue: String, consumerTag: String) throws(AMQPError) {
        arena.reset()
        let none = amqp_table_t(num_entries: 0, entries: nil)
        _ = amqp_basic_consume(pointer, Self.channel, arena.bytes(queue), arena.bytes(consumerTag), 0, 0, 0, none)
        try checkReply()
    }

    func unsubscribe(consumerTag: String) throws(AMQPError) {
        arena.reset()
        _ = amqp_basic_cancel(pointer, Self.channel, arena.bytes(consumerTag))
        try checkReply()
    }

    /// - Parameter isPassive: only looks whether it is there.
    func declare(_ exchange: AMQPExchange, isPassive: Bool = false) throws(AMQPError) {
        arena.reset()
        let none = amqp_table_t(num_entries: 0, entries: nil)
        _ = amqp_exchange_declare(
            pointer, Self.channel, arena.bytes(exchange.name), arena.bytes(exchange.kind.rawValue), isPassive ? 1 : 0, 1, 0, 0, none)
        try checkReply()
    }

    /// - Parameter isPassive: only looks whether it is there.
    func declare(_ queue: AMQPQueue, isPassive: Bool = false) throws(AMQPError) {
        arena.reset()
        let arguments = arena.table(queue.allArguments)
        _ = amqp_queue_declare(pointer, Self.channel, arena.bytes(queue.name), isPassive ? 1 : 0, 1, 0, 0, arguments)
        try checkReply()
    }

    func bind(_ binding: AMQPBinding) throws(AMQPError) {
        arena.reset()
        let none = amqp_table_t(num_entries: 0, entries: nil)
        _ = amqp_queue_bind(
            pointer, Self.channel, arena.bytes(binding.queue), arena.bytes(binding.exchange), arena.bytes(binding.routingKey), none)
        try checkReply()
    }
    /// What is not bound is no error.
    func unbind(_ binding: AMQPBinding) throws(AMQPError) {
        arena.reset()
        let none = amqp_table_t(num_entries: 0, entries: nil)
        _ = amqp_queue_unbind(
            pointer, Self.channel, arena.bytes(binding.queue), arena.bytes(binding.exchange), arena.bytes(binding.routingKey), none)
        try checkReply()
    }
}
