internal import CCurl

/// One transfer by libcurl's easy interface, over a new connection or one that took a mail before, on the calling thread.
///
/// libcurl's callbacks get this object as their context and run inside ``perform(within:)``, on the same thread.
final class SMTPTransfer {
    private let server: SMTPServer
    private let mail: MailMessage
    private let connection: SMTPConnection
    private var progress: SMTPProgress
    /// Bytes of the mail that libcurl has taken.
    private var taken = 0

    /// Of connecting, TLS and the greeting together there is the time-out of the whole.
    private static let connectLimitMilliseconds = 30_000
    /// A connection that was idle for longer is not used again: what stands between may have forgotten it without a word.
    private static let idleLimitSeconds = 30

    init(_ mail: MailMessage, to server: SMTPServer, over connection: SMTPConnection) {
        self.mail = mail
        self.server = server
        self.connection = connection
        progress = SMTPProgress(needsUTF8: mail.to.needsUTF8, startsTLS: server.security == .startTLS)
    }

    /// Whether an earlier mail's connection was given up by the server before this mail was as much as announced.
    private(set) var isOutlived = false

    func perform(within timeout: Duration) -> MailOutcome {
        let handle = connection.handle
        // Takes all options back, the context of the callbacks with them, and leaves the connection.
        defer { curl_easy_reset(handle) }
        let recipients = curl_slist_append(nil, mail.to.text)
        defer { curl_slist_free_all(recipients) }
        guard recipients != nil, set(handle, timeout), florin_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients) == CURLE_OK else {
            return .tryAgain(.noConnection)
        }
        let result = withExtendedLifetime(self) { curl_easy_perform(handle) }
        var connects = 0
        isOutlived = florin_curl_connects(handle, &connects) == CURLE_OK && connects == 0 && !progress.isAnnounced
        return progress.outcome(result == CURLE_OK ? .completed : .failed(Self.reason(result)))
    }

    private func set(_ handle: UnsafeMutableRawPointer, _ timeout: Duration) -> Bool {
        // Without signals: the thread takes none, so a connection that is closed under it is an error and no SIGPIPE.
        let (seconds, attoseconds) = timeout.components
        let milliseconds = Int(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
        var numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_UPLOAD, 1), (CURLOPT_TIMEOUT_MS, milliseconds),
            (CURLOPT_CONNECTTIMEOUT_MS, min(milliseconds, Self.connectLimitMilliseconds)),
            // Otherwise each reply has two minutes, however long the whole may take.
            (CURLOPT_SERVER_RESPONSE_TIMEOUT, milliseconds / 1_000 + 1), (CURLOPT_MAXAGE_CONN, Self.idleLimitSeconds),
            (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2), (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)), (CURLOPT_VERBOSE, 1),
        ]
        if server.security == .startTLS { numbers.append((CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))) }
        var texts: [(CURLoption, String?)] = [
            (CURLOPT_URL, server.url), (CURLOPT_PROTOCOLS_STR, "smtp,smtps"), (CURLOPT_MAIL_FROM, mail.from.text),
            // Not by way of the environment's.
            (CURLOPT_PROXY, ""), (CURLOPT_NOPROXY, "*"),
        ]
        if let authorities = server.authorities { texts += [(CURLOPT_CAINFO, authorities), (CURLOPT_CAPATH, nil)] }
        if let credentials = server.credentials {
            texts += [(CURLOPT_USERNAME, credentials.user), (CURLOPT_PASSWORD, credentials.password)]
        }
        return numbers.allSatisfy { florin_curl_set_number(handle, $0, $1) == CURLE_OK }
            && texts.allSatisfy { florin_curl_set_text(handle, $0, $1) == CURLE_OK } && setCallbacks(handle)
    }

    private func setCallbacks(_ handle: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let contexts = [CURLOPT_READDATA, CURLOPT_HEADERDATA, CURLOPT_DEBUGDATA]
        return contexts.allSatisfy { florin_curl_set_context(handle, $0, context) == CURLE_OK }
            && florin_curl_set_read(handle) { buffer, size, count, context in
                SMTPTransfer.of(context).fill(buffer, size * count)
            } == CURLE_OK
            && florin_curl_set_header(handle) { line, size, count, context in
                let bytes = UnsafeRawBufferPointer(start: line, count: size * count)
                return SMTPTransfer.of(context).progress.received(bytes) ? size * count : 0
            } == CURLE_OK
            && florin_curl_set_debug(handle) { _, kind, text, count, context in
                if kind == CURLINFO_HEADER_OUT {
                    SMTPTransfer.of(context).progress.sent(UnsafeRawBufferPointer(start: text, count: count))
                }
                return 0
            } == CURLE_OK
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> SMTPTransfer {
        guard let context else { preconditionFailure("a callback of libcurl without its context") }
        return Unmanaged<SMTPTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    /// Copies the next part of the mail; once there is none, libcurl sends the dot that ends it.
    private func fill(_ buffer: UnsafeMutablePointer<CChar>?, _ room: Int) -> Int {
        let count = min(room, mail.bytes.count - taken)
        guard count > 0, let buffer else {
            progress.bodyEnded()
            return 0
        }
        mail.bytes.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: buffer, count: room).copyMemory(from: .init(rebasing: bytes[taken..<taken + count]))
        }
        taken += count
        return count
    }

    private static func reason(_ code: CURLcode) -> MailReason {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT: .noConnection
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR: .untrustedCertificate
        case CURLE_USE_SSL_FAILED, CURLE_SSL_CONNECT_ERROR: .noTLS
        case CURLE_LOGIN_DENIED: .credentialsRefused
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_WEIRD_SERVER_REPLY: .connectionLost
        default: .other(Int(code.rawValue))
        }
    }
}
