import AMQP

extension AMQPConnectionStatus {
    /// Why the broker takes nothing now; nil while it seems to.
    var unusableReason: String? {
        if let blockedReason { return "it is blocked: \(blockedReason)" }
        return isOpen ? nil : lastError?.description ?? "not connected yet"
    }
}
