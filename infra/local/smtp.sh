#!/usr/bin/env bash
# Sourced. The fleet's private SMTP server, for where mails are sent: it keeps each as a file and passes none on. 127.0.0.1 only, plain text.

# Only where there is a service that sends mails.
sends_mail() { [[ $1 == notification ]]; }
has_smtp() { [[ -n $(services_that sends_mail) ]]; }

# An account of its own like every service's (services.sh): it can read what it has written, and nothing else of the fleet's.
smtp_user() { service_user smtp; }

ensure_smtp_folder() {
    ensure_service_user smtp
    mkdir -p "$SMTP_FOLDER"
    chmod 0700 "$SMTP_FOLDER"
    if is_root; then
        chown -R "$(smtp_user)" "$SMTP_FOLDER"
    fi
}

# Replaces the calling shell by the server.
exec_smtp() {
    cd "$SMTP_FOLDER"
    exec_as "$(smtp_user)" /usr/bin/python3 -m aiosmtpd --nosetuid --class aiosmtpd.handlers.Mailbox --listen "127.0.0.1:$SMTP_SERVER_PORT" "$SMTP_FOLDER/mails"
}

smtp_ready() { port_answers "$SMTP_SERVER_PORT"; }

sealing_keys_file() { printf '%s' "$KEYS/$1.sealing.json"; }
# The public half, for those who seal.
sealing_public_file() { printf '%s' "$KEYS/$1.sealing.public.json"; }

ensure_sealing_keys() {
    [[ ! -f $(sealing_keys_file "$1") ]] || return 0
    FLORIN_ENVIRONMENT=local "$RELEASE/bin/fleetctl" keys sealing --private "$(sealing_keys_file "$1")" --public "$(sealing_public_file "$1")" >/dev/null
}

mail_environment() {
    SEALING_KEYS_FILE=$(sealing_keys_file "$1")
    export SEALING_KEYS_FILE
    export SMTP_HOST=127.0.0.1
    export SMTP_PORT=$SMTP_SERVER_PORT
    export SMTP_SECURITY=none
    export MAIL_FROM=noreply@florin.example
}
