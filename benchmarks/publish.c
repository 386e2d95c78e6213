/* Publishes COUNT messages of SIZE bytes with confirms, WINDOW in flight: what RabbitMQ can take.
 *   publish HOST PORT EXCHANGE ROUTING_KEY COUNT SIZE WINDOW
 * Prints the seconds it took. */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else /* before version 0.12 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check(int status, const char *what) {
  if (status < 0) {
    fprintf(stderr, "%s: %s\n", what, amqp_error_string2(status));
    exit(1);
  }
}

static void reply(amqp_rpc_reply_t answer, const char *what) {
  if (answer.reply_type != AMQP_RESPONSE_NORMAL) {
    fprintf(stderr, "%s failed\n", what);
    exit(1);
  }
}

/* Wait for one confirm; how many messages are confirmed now. */
static unsigned long await_confirm(amqp_connection_state_t connection, unsigned long confirmed) {
  amqp_frame_t frame;
  check(amqp_simple_wait_frame(connection, &frame), "confirm");
  if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
    amqp_basic_ack_t *ack = frame.payload.method.decoded;
    unsigned long now = ack->multiple ? ack->delivery_tag : confirmed + 1;
    amqp_maybe_release_buffers(connection);
    return now > confirmed ? now : confirmed;
  }
  fprintf(stderr, "not a confirm\n");
  exit(1);
}

int main(int count_of_arguments, char **arguments) {
  if (count_of_arguments != 8) return 2;
  unsigned long count = strtoul(arguments[5], NULL, 10), window = strtoul(arguments[7], NULL, 10);
  size_t size = strtoul(arguments[6], NULL, 10);
  char *bytes = malloc(size);
  memset(bytes, 'x', size);

  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  check(amqp_socket_open(socket, arguments[1], atoi(arguments[2])), "connect");
  reply(amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
        "login");
  amqp_channel_open(connection, 1);
  reply(amqp_get_rpc_reply(connection), "channel");
  amqp_confirm_select(connection, 1);
  reply(amqp_get_rpc_reply(connection), "confirm.select");

  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                        .delivery_mode = 2};
  amqp_bytes_t body = {.len = size, .bytes = bytes};
  struct timespec began, ended;
  clock_gettime(CLOCK_MONOTONIC, &began);
  unsigned long sent = 0, confirmed = 0;
  while (confirmed < count) {
    while (sent < count && sent - confirmed < window) {
      check(amqp_basic_publish(connection, 1, amqp_cstring_bytes(arguments[3]),
                               amqp_cstring_bytes(arguments[4]), 1, 0, &properties, body),
            "publish");
      sent++;
    }
    confirmed = await_confirm(connection, confirmed);
  }
  clock_gettime(CLOCK_MONOTONIC, &ended);
  printf("%.6f\n",
         (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
  return 0;
}
