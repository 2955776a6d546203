import Foundation
import FuzzTargets

/// libFuzzer's engine; its own `main` is not the one that SwiftPM links.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ feed: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// FLORIN_FUZZ_TARGET says what is fed.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FLORIN_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        fatalError("FLORIN_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
    }
    return target
}()

/// One input; what breaks a property ends the process like a crash, so that libFuzzer keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
func feed(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do throws(BrokenProperty) {
        // A copy: AddressSanitizer sees a step beyond its end, and its end alone.
        try target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(target.rawValue): \(error)")
    }
    return 0
}

/// What SwiftPM links as `main`.
@_cdecl("Fuzz_main")
func start(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments, feed)
}
