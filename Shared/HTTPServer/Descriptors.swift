#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

enum Descriptors {
    /// So many may be open in this process at a time: their numbers are smaller.
    static var maximum: Int {
        let maximum = sysconf(Int32(_SC_OPEN_MAX))
        return maximum < 0 ? .max : Int(maximum)
    }
}
