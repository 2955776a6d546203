#ifndef FLORIN_CRABBITMQ_SHIM_H
#define FLORIN_CRABBITMQ_SHIM_H
#include <sys/time.h>

#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

// Swift imports no variadic function.
static inline amqp_rpc_reply_t florin_amqp_login_plain(
    amqp_connection_state_t state, char const *vhost, int frame_max, int heartbeat, amqp_table_t const *properties, char const *user,
    char const *password) {
    return amqp_login_with_properties(state, vhost, 1, frame_max, heartbeat, properties, AMQP_SASL_METHOD_PLAIN, user, password);
}
#endif
