#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The clocks that a run reads: one that only rises, and what processes have used of the processors.
package enum ProcessorTime {
    private static let nanosecondsPerSecond: UInt64 = 1_000_000_000
    /// utime and stime; with them cutime and cstime.
    package static let userAndSystem = 11..<13
    package static let userSystemAndWaitedFor = 11..<15
    private static let maximumProcBytes = 65_536

    private static let start = ContinuousClock.now

    /// Nanoseconds since some moment in the past.
    static var monotonic: UInt64 {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return UInt64(seconds) * nanosecondsPerSecond + UInt64(attoseconds / 1_000_000_000)
    }

    /// Nanoseconds of all processors that this process has used since it started, in whole microseconds.
    static var used: UInt64 { UInt64(clock()) * (nanosecondsPerSecond / UInt64(CLOCKS_PER_SEC)) }

    /// Nanoseconds used by a process, by its children that ended, and by those alive; 0 for one that is not there.
    ///
    /// The system counts in ticks, 100 to the second. It is read from `/proc`, which only Linux has.
    package static func used(byTreeOf process: Int) -> UInt64 {
        let children = contents("/proc/\(process)/task/\(process)/children").split(separator: " ").compactMap { Int($0) }
        let own = ticks(contents("/proc/\(process)/stat"), fields: userSystemAndWaitedFor)
        let all = children.reduce(own) { $0 + ticks(contents("/proc/\($1)/stat"), fields: userAndSystem) }
        return all * (nanosecondsPerSecond / UInt64(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// Adds up fields of a line of `/proc/<pid>/stat`, numbered from the one after the name in parentheses.
    package static func ticks(_ stat: String, fields: Range<Int>) -> UInt64 {
        guard let nameEnd = stat.lastIndex(of: ")") else { return 0 }
        let values = stat[stat.index(after: nameEnd)...].split(separator: " ")
        guard values.count >= fields.upperBound else { return 0 }
        return values[fields].reduce(0) { $0 + (UInt64($1) ?? 0) }
    }

    private static func contents(_ path: String) -> String {
        // Read until the end: files of /proc have no size beforehand.
        guard let handle = fopen(path, "r") else { return "" }
        defer { fclose(handle) }
        var bytes = [UInt8](repeating: 0, count: maximumProcBytes)
        let count = fread(&bytes, 1, bytes.count, handle)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
