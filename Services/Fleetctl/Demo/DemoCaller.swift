import RequestSigning

/// Who sends a request: the service that signs it and the token that it brings.
struct DemoCaller: Sendable {
    let signer: RequestSigner
    let token: String
}
