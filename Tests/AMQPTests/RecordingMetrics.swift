import CoreMetrics
import Synchronization

/// Keeps what is counted, by label and dimensions: `amqp_publish_total client=a,result=confirmed`.
final class RecordingMetrics: MetricsFactory {
    private final class Series: CounterHandler, RecorderHandler, TimerHandler {
        let value = Mutex(0.0)
        func increment(by amount: Int64) { value.withLock { $0 += Double(amount) } }
        func reset() { value.withLock { $0 = 0 } }
        func record(_ number: Int64) { value.withLock { $0 = Double(number) } }
        func record(_ number: Double) { value.withLock { $0 = number } }
        func recordNanoseconds(_ duration: Int64) {}
    }

    private let series = Mutex<[String: Series]>([:])

    subscript(_ name: String) -> Double? { series.withLock { $0[name] }?.value.withLock { $0 } }

    private func make(_ label: String, _ dimensions: [(String, String)]) -> Series {
        let name = "\(label) \(dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: ","))"
        return series.withLock { series in
            let made = series[name] ?? Series()
            series[name] = made
            return made
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { make(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler { make(label, dimensions) }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { make(label, dimensions) }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
