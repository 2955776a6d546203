#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What every process says of itself, under the names that Prometheus's own client libraries use ("Writing client libraries",
/// section "Process metrics"), and the meaning of what the runtime measures.
package enum ProcessMetrics {
    private static let nanosecondsPerSecond = 1_000_000_000.0

    /// Once per process, at its start.
    package static func observe(_ registry: PrometheusRegistry, service: String, version: String) {
        let startedAt = Double(WallClock.microsecondsSinceUnixEpoch()) / 1_000_000
        registry.observe("process_start_time_seconds", .gauge, "When the process started, in seconds since the Unix epoch.") { startedAt }
        registry.observe("process_cpu_seconds_total", .counter, "Processor time that the process has used, in seconds.") { processorSeconds() }
        registry.observe("process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM, in bytes.") { residentBytes() }
        registry.observe("process_open_fds", .gauge, "File descriptors that are open.") { openDescriptors() }
        registry.observe("process_max_fds", .gauge, "File descriptors that may be open.") { maximumDescriptors() }
        registry.observe(
            "florin_build_info", .gauge, "Always 1; the labels say which release of which service this is.",
            labels: [("service", service), ("version", version)]
        ) { 1 }
        registry.describe("http_server_requests_total", "Answered requests by route, method and status; requests without a route are \"unrouted\".")
        registry.describe("http_server_request_seconds", "Time from the head of a request to its response, in seconds, by route and method.")
        registry.describe("signing_keys_inbound", "Keys that are accepted from a caller; two while they are being rotated.")
        registry.describe("signing_keys_reload_failures_total", "Failed reloads of the keys file; the old keys stay in use.")
        registry.describe("tls_certificate_expiry_seconds", "When the certificate in use expires, in seconds since the Unix epoch.")
        registry.describe("tls_reload_failures_total", "Failed reloads of the TLS files; the old ones stay in use.")
        registry.describe(SpanCounters.exportedMetric, "Spans that the receiver accepted.")
        registry.describe(SpanCounters.droppedMetric, "Spans that were lost, by reason.")
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / nanosecondsPerSecond
    }

    /// The second number of statm counts pages (proc(5)); not a number where there is no such file.
    private static func residentBytes() -> Double {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .nan }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &bytes, bytes.count)
        let numbers = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).split(separator: " ")
        guard numbers.count > 1, let pages = Double(numbers[1]) else { return .nan }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openDescriptors() -> Double {
        guard let folder = opendir("/proc/self/fd") else { return .nan }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Two are the folder itself and its parent, one is the descriptor that reads it.
        return Double(count - 3)
    }

    private static func maximumDescriptors() -> Double {
        let maximum = sysconf(Int32(_SC_OPEN_MAX))
        return maximum < 0 ? .nan : Double(maximum)
    }
}
