/*
 * Asks a unix socket for the same thing over and over, on connections that stay open, one request at a time on each:
 *   http-load SOCKET PATH CONNECTIONS REQUESTS
 * Prints the requests that were answered with 200, the seconds it took, and the bytes that came. A client in JavaScript would
 * cost as much as the servers it measures.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES 16384

struct connection {
  int fd;
  size_t head;      /* bytes of the answer's head that are here, while it is not whole */
  size_t body_left; /* bytes of the body that are still to come */
  char text[HEAD_BYTES + 1];
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void ask(struct connection *to, const char *request, size_t length) {
  to->head = 0;
  to->body_left = 0;
  if (write(to->fd, request, length) != (ssize_t)length) fail("write");
}

/* Reads what is there; 1 when the answer is whole. */
static int take(struct connection *from, size_t *bytes) {
  static char rest[1 << 18];
  if (from->body_left > 0) {
    ssize_t got = read(from->fd, rest, sizeof rest);
    if (got <= 0) fail("read");
    *bytes += (size_t)got;
    from->body_left -= (size_t)got;
    return from->body_left == 0;
  }
  ssize_t got = read(from->fd, from->text + from->head, HEAD_BYTES - from->head);
  if (got <= 0) fail("read");
  *bytes += (size_t)got;
  from->head += (size_t)got;
  from->text[from->head] = 0;
  char *end = memmem(from->text, from->head, "\r\n\r\n", 4);
  if (end == NULL) {
    if (from->head == HEAD_BYTES) fail("the head is too long");
    return 0;
  }
  if (strncmp(from->text, "HTTP/1.1 200 ", 13) != 0) {
    fprintf(stderr, "answered: %.60s\n", from->text);
    exit(1);
  }
  char *length = strcasestr(from->text, "\r\ncontent-length:");
  if (length == NULL || length > end) fail("there is no content-length");
  size_t whole = (size_t)(end + 4 - from->text) + strtoul(length + 17, NULL, 10);
  if (from->head > whole) fail("more came than was asked for");
  from->body_left = whole - from->head;
  return from->body_left == 0;
}

int main(int count, char **words) {
  if (count != 5) {
    fprintf(stderr, "usage: http-load SOCKET PATH CONNECTIONS REQUESTS\n");
    return 64;
  }
  int connections = atoi(words[3]);
  long requests = atol(words[4]), asked = 0, answered = 0;
  char request[1024];
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n", words[2]);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", words[1]);
  struct connection *all = calloc((size_t)connections, sizeof *all);
  int epoll = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    all[i].fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(all[i].fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &all[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &wanted) != 0) fail("epoll_ctl");
  }
  size_t bytes = 0;
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < connections && asked < requests; i++, asked++) ask(&all[i], request, (size_t)length);
  while (answered < requests) {
    struct epoll_event ready[64];
    int found = epoll_wait(epoll, ready, 64, 10000);
    if (found <= 0) fail("epoll_wait");
    for (int i = 0; i < found; i++) {
      struct connection *one = ready[i].data.ptr;
      if (!take(one, &bytes)) continue;
      answered++;
      if (asked < requests) {
        ask(one, request, (size_t)length);
        asked++;
      }
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%ld %.6f %zu\n", answered, (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, bytes);
  return 0;
}
