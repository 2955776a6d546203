internal import CRabbitMQ

/// The one owner of librabbitmq's connection state, socket included; both end with it.
struct ConnectionHandle: ~Copyable {
    let pointer: OpaquePointer

    init?() {
        guard let pointer = amqp_new_connection() else { return nil }
        self.pointer = pointer
    }

    deinit { amqp_destroy_connection(pointer) }
}
