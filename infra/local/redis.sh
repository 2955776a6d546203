#!/usr/bin/env bash
# Sourced. The fleet's private Redis, which keeps the replay windows: own port and folder, 127.0.0.1 only, by password only, nothing on disk.

redis_user() { if is_root; then printf 'redis'; else id -un; fi; }

# The services that others call, each with a replay window of its own.
mapfile -t REDIS_USERS < <(services_that is_called)

redis_password_name() {
    printf 'REDIS_%s_PASSWORD' "$(prefix_of "$1")"
}

redis_password() { sed -n "s/^$(redis_password_name "$1")=//p" "$SECRETS/passwords.env"; }

redis_url() { printf 'redis://%s:%s@127.0.0.1:%s' "$1" "$(redis_password "$1")" "$REDIS_PORT"; }

redis_user_lines() {
    local user hash
    for user in "${REDIS_USERS[@]}"; do
        hash=$(redis_password "$user" | tr -d '\n' | sha256sum | cut -d' ' -f1)
        printf 'user %s on #%s resetchannels ~replay:%s:* -@all +set +ping +info +client|setname +config|get\n' "$user" "$hash" "$user"
    done
}

# One user per service, who may set its own keys and no other's; the same rights as in k8s/components/redis. In a file that only the server
# and its owner can read, for everybody sees a command line.
write_redis_configuration() {
    local user
    user=$(redis_user)
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
$(redis_user_lines)
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
    [[ $(REDISCLI_AUTH=$(redis_password "${REDIS_USERS[0]}") timeout 5 redis-cli --user "${REDIS_USERS[0]}" -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null) == PONG ]]
}
