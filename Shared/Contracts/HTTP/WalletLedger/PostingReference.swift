/// A caller's own name for a posting: unique per principal for ever, so that it guards against a provider's late repeats.
package enum PostingReference {
    /// In characters.
    package static let length = 1...64
}
