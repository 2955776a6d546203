import FoundationEssentials
import Outbox
import Postgres

extension BatchColumns {
    /// Which of the two functions writes a batch.
    enum Function: String, CaseIterable {
        /// Has no parameters for what is held and for the keys of atomic batches: nearly every batch has neither, and is spared the tables
        /// and triggers of both.
        case writeBatch = "write_batch"
        case postBatch = "post_batch"
    }

    var function: Function { holds.ids.isEmpty && keys.subjectVersions.allSatisfy { $0 == nil } ? .writeBatch : .postBatch }

    /// The function's arguments in the order of its parameters.
    /// - Parameter clock: The server's, for the keys of what was decided.
    func arguments(of function: Function, clock: PostgresTimestamp) -> PostgresArguments {
        let isFull = function == .postBatch
        var arguments: PostgresArguments = ["clock": clock, "wallet_ids": wallets.ids, "wallet_balances": wallets.balances]
        if isFull { arguments += ["wallet_helds": wallets.helds] }
        arguments += [
            "wallet_versions": wallets.versions, "wallet_previous_versions": wallets.previousVersions, "wallet_times": wallets.times,
            "transfer_ids": transfers.ids, "kinds": transfers.kinds, "amounts": transfers.amounts, "currencies": transfers.currencies,
            "source_ids": transfers.sources, "source_versions": transfers.sourceVersions, "source_balances": transfers.sourceBalances,
            "destination_ids": transfers.destinations, "destination_versions": transfers.destinationVersions,
            "destination_balances": transfers.destinationBalances, "original_ids": transfers.originals,
        ]
        if isFull { arguments += ["capture_hold_ids": transfers.holds] }
        arguments += [
            "principals": transfers.principals, "refs": transfers.references, "transfer_key_ids": transfers.keys,
            "transfer_times": transfers.times, "source_times": transfers.sourceTimes, "destination_times": transfers.destinationTimes,
            "refunded_ids": refunds.ids, "refunded_originals": refunds.originals, "refunded_amounts": refunds.amounts,
            "key_ids": keys.ids, "key_callers": keys.callers, "key_principals": keys.principals, "keys": keys.keys,
            "key_requests": keys.requests, "key_outcomes": keys.outcomes, "key_subjects": keys.subjects,
        ]
        if isFull { arguments += ["key_subject_versions": keys.subjectVersions] }
        arguments += [
            "key_refusals": keys.refusals, "key_request_ids": keys.requestIDs,
            "event_ids": events.ids, "event_types": events.types, "event_subjects": events.subjects, "event_partitions": events.partitions,
            "event_traces": events.traces, "event_data": events.data, "event_times": events.times,
        ]
        if isFull { arguments += holdArguments }
        return arguments
    }

    private var holdArguments: PostgresArguments {
        [
            "hold_ids": holds.ids, "hold_wallets": holds.wallets, "hold_destinations": holds.destinations, "hold_amounts": holds.amounts,
            "hold_currencies": holds.currencies, "hold_captured": holds.captured, "hold_statuses": holds.statuses,
            "hold_principals": holds.principals, "hold_placed_at": holds.placedAt, "hold_expires_at": holds.expiresAt,
            "change_wallets": holdChanges.wallets, "change_versions": holdChanges.versions, "change_holds": holdChanges.holds,
            "change_kinds": holdChanges.kinds, "change_placed": holdChanges.placed, "change_captured": holdChanges.captured,
            "change_released": holdChanges.released, "change_held_after": holdChanges.heldAfter,
            "change_captured_after": holdChanges.capturedAfter, "change_status_after": holdChanges.statusAfter,
            "change_transfers": holdChanges.transfers, "change_events": holdChanges.events, "change_times": holdChanges.times,
        ]
    }
}
