import Contracts
import HTTPTypes
import Hummingbird

/// What no endpoint answers: a problem like every other refusal.
struct UnroutedAsProblem: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return Self.response(.notFound, for: request)
        }
    }

    static func response(_ code: ProblemCode, extraHeaders: [HTTPField] = [], for request: Request) -> Response {
        var random = SystemRandomNumberGenerator()
        let requestID = RequestID.of(header: request.headers[.requestID], using: &random)
        return Response(Answer(Problem(code, instance: requestID.text), extraHeaders: extraHeaders), requestID: requestID)
    }
}
