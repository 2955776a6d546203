import Testing

@testable import Identity

@Suite struct CompositionTests {
    @Test func `it is called identity`() { #expect(Identity.name == "identity") }
}
