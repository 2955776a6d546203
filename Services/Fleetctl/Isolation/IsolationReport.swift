import Contracts
package import ServiceRuntime
import StrictJSON

/// What `fleetctl check-db-isolation` prints.
package struct IsolationReport: Sendable {
    private let check: IsolationCheck
    /// Nil when nothing was connected to.
    private let live: LiveIsolationCheck?

    package init(_ check: IsolationCheck, live: LiveIsolationCheck?) {
        self.check = check
        self.live = live
    }

    package var findings: [FleetFinding] { check.findings + (live?.findings ?? []) }
    package var unreachable: [LiveIsolationCheck.Unreachable] { live?.unreachable ?? [] }

    /// What was found weighs more than what could not be asked.
    package var exit: ProcessExit { findings.isEmpty ? (unreachable.isEmpty ? .success : .unreachable) : .failure }

    /// One line per finding and a summary.
    package var text: String {
        var lines = findings.map { "\($0.service ?? "-"): \($0.code.name): \($0.detail)" }
        lines += unreachable.map { "\($0.service): not checked: \($0.detail)" }
        lines.append(summary)
        return lines.map(PlainLine.text).joined(separator: "\n")
    }

    /// One object: `checked`, `findings`, and `unreachable` for what could not be asked.
    package var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("checked")
            writer.array { writer in
                for process in check.processes { Self.write(process, address: address(of: process), to: &writer) }
            }
            writer.name("findings")
            writer.array { writer in
                for finding in findings { Self.write(finding, to: &writer) }
            }
            writer.name("unreachable")
            writer.array { writer in
                for target in unreachable {
                    writer.object { writer in
                        writer.member("service", target.service)
                        writer.member("detail", target.detail)
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private var summary: String {
        let violations = findings.isEmpty ? "no violation" : "\(findings.count) violation\(findings.count == 1 ? "" : "s")"
        let processes = "\(check.processes.count) process\(check.processes.count == 1 ? "" : "es")"
        guard let live else { return "\(violations); \(processes), no connection tried" }
        return "\(violations); \(processes), \(live.reached) of \(check.targets.count) known URLs connected"
            + (unreachable.isEmpty ? "" : ", \(unreachable.count) not checked")
    }

    private func address(of process: FleetProcess) -> String? {
        check.targets.first { $0.process == process }?.address.description ?? process.databaseVariable?.variable.secret?.description
    }

    private static func write(_ process: FleetProcess, address: String?, to writer: inout JSONWriter) {
        writer.object { writer in
            write(process.service, as: "service", to: &writer)
            writer.member("place", process.place)
            writer.member("kind", process.kind.rawValue)
            write(address, as: "database", to: &writer)
        }
    }

    private static func write(_ finding: FleetFinding, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("code", finding.code.name)
            write(finding.service, as: "service", to: &writer)
            write(finding.other, as: "other", to: &writer)
            writer.member("detail", finding.detail)
        }
    }

    private static func write(_ text: String?, as name: StaticString, to writer: inout JSONWriter) {
        if let text {
            writer.member(name, text)
        } else {
            writer.memberNull(name)
        }
    }
}
