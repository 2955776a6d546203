#!/usr/bin/env bash
# Sourced. The fleet's private Redis, which keeps the replay windows: own port and folder, 127.0.0.1 only, by password only, nothing on disk.

redis_user() { if is_root; then printf 'redis'; else id -un; fi; }

redis_password() { sed -n 's/^REDIS_WALLET_LEDGER_PASSWORD=//p' "$SECRETS/passwords.env"; }

redis_url() { printf 'redis://wallet-ledger:%s@127.0.0.1:%s' "$(redis_password)" "$REDIS_PORT"; }

# One user per service, who may set its own keys and no other's; the same rights as in k8s/base/redis. In a file that only the server
# and its owner can read, for everybody sees a command line.
write_redis_configuration() {
    local user hash
    user=$(redis_user)
    hash=$(redis_password | tr -d '\n' | sha256sum | cut -d' ' -f1)
    mkdir -p "$REDIS_FOLDER"
    chmod 0700 "$REDIS_FOLDER"
    (
        umask 077
        cat >"$REDIS_FOLDER/redis.conf" <<CONF
bind 127.0.0.1
port $REDIS_PORT
dir $REDIS_FOLDER
save ""
appendonly no
maxmemory 64mb
maxmemory-policy noeviction
user default off
user wallet-ledger on #$hash resetchannels ~replay:wallet-ledger:* -@all +set +ping +info +client|setname +config|get
CONF
    )
    if is_root; then
        chown -R "$user" "$REDIS_FOLDER"
    fi
}

# Replaces the calling shell by the server.
exec_redis() {
    cd /
    exec_as "$(redis_user)" /usr/bin/redis-server "$REDIS_FOLDER/redis.conf"
}

# The password goes through the environment of redis-cli, which nobody else can read.
redis_ready() {
    [[ $(REDISCLI_AUTH=$(redis_password) timeout 5 redis-cli --user wallet-ledger -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null) == PONG ]]
}
