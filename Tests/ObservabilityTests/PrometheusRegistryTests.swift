import Metrics
import Observability
import ServiceRuntime
import TestSupport
import Testing

@Suite("Prometheus metrics")
struct PrometheusRegistryTests {
    @Test("the text has help, type and samples, sorted, with labels escaped")
    func golden() {
        let registry = PrometheusRegistry()
        registry.describe("ledger_transfers_total", "Transfers by outcome.\nOne line \\ only.")
        Counter(label: "ledger.transfers", dimensions: [("outcome", "posted")], factory: registry).increment(by: 3)
        Counter(label: "ledger.transfers", dimensions: [("outcome", "a\"b\\c\nd")], factory: registry).increment()
        Gauge(label: "ledger.queue.depth", factory: registry).record(7)
        Meter(label: "9.pool", factory: registry).set(0.25)
        let expected = """
            # HELP _9_pool 9.pool
            # TYPE _9_pool gauge
            _9_pool 0.25
            # HELP florin_metrics_dropped_total Recordings that the bounds of the registry did not keep.
            # TYPE florin_metrics_dropped_total counter
            florin_metrics_dropped_total 0
            # HELP ledger_queue_depth ledger.queue.depth
            # TYPE ledger_queue_depth gauge
            ledger_queue_depth 7
            # HELP ledger_transfers_total Transfers by outcome.\\nOne line \\\\ only.
            # TYPE ledger_transfers_total counter
            ledger_transfers_total{outcome="a\\"b\\\\c\\nd"} 1
            ledger_transfers_total{outcome="posted"} 3

            """
        #expect(registry.render() == expected)
    }

    @Test("a timer is a histogram of seconds with inclusive, cumulative buckets")
    func timer() {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "http.request", dimensions: [("route", "/v1/transfers")], factory: registry)
        timer.recordMilliseconds(1)
        timer.recordMilliseconds(2)
        timer.recordSeconds(60)
        let lines = registry.render().split(separator: "\n").filter { $0.hasPrefix("http_request_seconds") }
        #expect(lines.contains(#"http_request_seconds_bucket{route="/v1/transfers",le="0.0005"} 0"#))
        #expect(lines.contains(#"http_request_seconds_bucket{route="/v1/transfers",le="0.001"} 1"#))
        #expect(lines.contains(#"http_request_seconds_bucket{route="/v1/transfers",le="0.0025"} 2"#))
        #expect(lines.contains(#"http_request_seconds_bucket{route="/v1/transfers",le="10"} 2"#))
        #expect(lines.contains(#"http_request_seconds_bucket{route="/v1/transfers",le="+Inf"} 3"#))
        #expect(lines.contains(#"http_request_seconds_count{route="/v1/transfers"} 3"#))
        #expect(lines.contains { $0.hasPrefix(#"http_request_seconds_sum{route="/v1/transfers"} 60.003"#) })
    }

    @Test("a timer may have buckets of its own")
    func ownBuckets() {
        let registry = PrometheusRegistry()
        registry.buckets("publish_delay_seconds", [0.015, 60])
        Timer(label: "publish_delay_seconds", dimensions: [], factory: registry).recordMilliseconds(15)
        let lines = registry.render().split(separator: "\n")
        #expect(
            lines.filter { $0.hasPrefix("publish_delay_seconds_bucket") } == [
                #"publish_delay_seconds_bucket{le="0.015"} 1"#, #"publish_delay_seconds_bucket{le="60"} 1"#,
                #"publish_delay_seconds_bucket{le="+Inf"} 1"#,
            ])
    }

    @Test("an aggregating recorder is a histogram of counts")
    func recorder() {
        let registry = PrometheusRegistry()
        let recorder = Recorder(label: "ledger.batch.size", factory: registry)
        for size in [1, 3, 256] { recorder.record(size) }
        let text = registry.render()
        #expect(text.contains("# TYPE ledger_batch_size histogram\n"))
        #expect(text.contains("ledger_batch_size_bucket{le=\"4\"} 2\n"))
        #expect(text.contains("ledger_batch_size_sum 260\n"))
        #expect(text.contains("ledger_batch_size_count 3\n"))
    }

    @Test("the same name and labels are one series, in whatever order the labels come")
    func identity() {
        let registry = PrometheusRegistry()
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.render().contains("c_total{a=\"1\",b=\"2\"} 2\n"))
    }

    @Test("label sets over the bound are dropped, and what they lose is counted")
    func bound() {
        let registry = PrometheusRegistry()
        let counters = (0..<PrometheusRegistry.maximumLabelSetsPerMetric + 2).map {
            Counter(label: "c", dimensions: [("id", "\($0)")], factory: registry)
        }
        for counter in counters { counter.increment(by: 5) }
        let text = registry.render()
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("c_total{") }.count == PrometheusRegistry.maximumLabelSetsPerMetric)
        #expect(text.contains("\nflorin_metrics_dropped_total 2\n"))
    }

    @Test("one name cannot be two kinds")
    func kinds() {
        let registry = PrometheusRegistry()
        Gauge(label: "depth", factory: registry).record(4)
        Recorder(label: "depth", factory: registry).record(9)
        let text = registry.render()
        #expect(text.contains("\ndepth 4\n"))
        #expect(text.contains("\nflorin_metrics_dropped_total 1\n"))
    }

    @Test("a value that somebody else keeps is read at each scrape; the first of a name and labels stays, another kind is dropped")
    func observations() {
        let registry = PrometheusRegistry()
        let counter = Journal()
        for state in ["idle", "in_use"] {
            registry.observe("pool_connections", .gauge, "Connections, by state.", labels: [("state", state)]) { Double(counter.all.count) }
        }
        registry.observe("pool_connections", .gauge, "Connections, by state.", labels: [("state", "idle")]) { -1 }
        registry.observe("pool_connections", .counter, "Connections, by state.", labels: [("state", "lost")]) { -1 }
        registry.observe("opened_total", .counter, "Opened.") { 1.5 }
        let first = registry.render()
        counter.note("opened")
        let second = registry.render()
        #expect(first.contains("# HELP pool_connections Connections, by state.\n# TYPE pool_connections gauge\n"))
        #expect(first.contains("pool_connections{state=\"idle\"} 0\n") && second.contains("pool_connections{state=\"idle\"} 1\n"))
        #expect(!second.contains("lost") && second.contains("\nflorin_metrics_dropped_total 1\n"))
        #expect(second.contains("# TYPE opened_total counter\nopened_total 1.5\n"))
    }

    @Test("no increment is lost between threads")
    func concurrency() async {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "c", factory: registry)
        let meter = Meter(label: "m", factory: registry)
        let timer = Timer(label: "t", factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<5_000 {
                        counter.increment()
                        meter.increment(by: 2)
                        timer.recordNanoseconds(1_000_000)
                    }
                }
            }
        }
        let text = registry.render()
        #expect(text.contains("\nc_total 40000\n") || text.hasPrefix("# HELP c_total c\n# TYPE c_total counter\nc_total 40000\n"))
        #expect(text.contains("\nm 80000\n"))
        #expect(text.contains("\nt_seconds_count 40000\n"))
    }
}
