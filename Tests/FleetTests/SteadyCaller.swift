import Foundation
import RequestSigning
import ServiceClient
import Synchronization

/// A caller that sends one request after the other, and notes what is not answered well.
final class SteadyCaller: Sendable {
    let name: String
    let keys: SigningKeyStore
    private let firstKeyID: String?
    private let client: ServiceClient
    private let request: @Sendable () -> ServiceRequest
    private let outcome = Mutex((answered: 0, refusals: [String]()))

    init(_ name: String, _ fleet: LedgerFleet, _ address: ServiceAddress, _ request: @escaping @Sendable () -> ServiceRequest) throws {
        self.name = name
        keys = try SigningKeyStore(path: SigningKeyFolder(path: fleet.folder).path(of: name))
        firstKeyID = keys.current.outbound.first?.key.keyID
        client = try fleet.client(keys, address)
        self.request = request
    }

    var answered: Int { outcome.withLock { $0.answered } }
    var refusals: [String] { outcome.withLock { $0.refusals } }
    var hasChangedKey: Bool { keys.current.outbound.first?.key.keyID != firstKeyID }

    /// Sends until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                let answer = try await client.send(request())
                let text = String(decoding: answer.body, as: UTF8.self)
                outcome.withLock { if answer.status < 300 { $0.answered += 1 } else { $0.refusals.append("\(answer.status) \(text)") } }
            } catch {
                if !Task.isCancelled { outcome.withLock { $0.refusals.append("\(error)") } }
            }
        }
    }
}
