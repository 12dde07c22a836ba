/*
 * mDNS traffic for measuring relays, at a set rate and to the nanosecond: what a small device says (a HomeKit accessory's
 * announcement, or a query), every packet with a number of its own in its names, so that it is known again even when a
 * relay writes it anew.
 *
 * traffic send    INTERFACE 4|6 response|query RATE FIRST COUNT FILE   writes when each was sent (int64, ns since 1970)
 * traffic receive INTERFACE 4|6 COUNT FILE   until SIGTERM; writes when each came first, by the kernel's clock (int64, ns),
 *                                            then how often each came (uint32)
 * traffic hold    INTERFACE                  is another program on port 5353 until SIGTERM; prints what it heard
 * traffic unicast ADDRESS COUNT              sends datagrams to port 5353 there
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { port = 5353, batch = 64, longest = 9216 };

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static void must(int64_t result, const char *what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static void set(int fd, int level, int option, int value) {
  must(setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

static int64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} group;
static socklen_t group_length;

/* Port 5353, shared; joined and sending on one interface. `to_group`: bound to the group's address, else to all. */
static int open_socket(const char *name, int family, int to_group) {
  int index = (int)if_nametoindex(name);
  if (index == 0) must(-1, name);
  int fd = socket(family, SOCK_DGRAM, 0);
  must(fd, "socket");
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  int buffer = 64 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0) set(fd, SOL_SOCKET, SO_RCVBUF, buffer);
  if (family == AF_INET) {
    group.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "224.0.0.251", &group.v4.sin_addr);
    group_length = sizeof group.v4;
    struct ip_mreqn membership = {.imr_multiaddr = group.v4.sin_addr, .imr_ifindex = index};
    struct sockaddr_in bound = group.v4;
    if (!to_group) bound.sin_addr.s_addr = INADDR_ANY;
    must(bind(fd, (struct sockaddr *)&bound, sizeof bound), "bind");
    must(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership), "join");
    must(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership), "IP_MULTICAST_IF");
    set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255);
    set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  } else {
    group.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = (unsigned)index};
    inet_pton(AF_INET6, "ff02::fb", &group.v6.sin6_addr);
    group_length = sizeof group.v6;
    struct ipv6_mreq membership = {.ipv6mr_multiaddr = group.v6.sin6_addr, .ipv6mr_interface = (unsigned)index};
    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    must(bind(fd, &group.any, group_length), "bind");
    must(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &membership, sizeof membership), "join");
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  }
  return fd;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t length) {
  memcpy(to, bytes, length);
  return to + length;
}

static uint8_t *put16(uint8_t *to, unsigned value) {
  *to++ = (uint8_t)(value >> 8);
  *to++ = (uint8_t)value;
  return to;
}

static uint8_t *put_label(uint8_t *to, const char *text) {
  size_t length = strlen(text);
  *to++ = (uint8_t)length;
  return put(to, text, length);
}

/* Type, class and TTL; the length of the data is filled in by close_record. */
static uint8_t *open_record(uint8_t *to, unsigned type, unsigned class, unsigned ttl) {
  to = put16(put16(to, type), class);
  to = put16(put16(to, ttl >> 16), ttl & 0xffff);
  return to + 2;
}

static uint8_t *close_record(uint8_t *data, uint8_t *end) {
  put16(data - 2, (unsigned)(end - data));
  return end;
}

static size_t make_query(uint8_t *packet, uint32_t number) {
  char label[32];
  snprintf(label, sizeof label, "_bnch%08x", number);
  memset(packet, 0, 12);
  packet[5] = 1;
  uint8_t *at = put_label(put_label(put_label(packet + 12, label), "_tcp"), "local");
  *at++ = 0;
  return (size_t)(put16(put16(at, 12), 1) - packet);
}

/* PTR, then SRV, TXT, A and AAAA as additional records, names compressed: RFC 6763 section 12.1. */
static size_t make_response(uint8_t *packet, uint32_t number) {
  static const char *const texts[] = {"c#=2", "ff=0", "id=5C:CF:7F:10:20:30", "md=Lamp", "pv=1.1", "s#=1", "sf=0", "ci=5", "sh=p3hz+A=="};
  char instance[32], host[32];
  snprintf(instance, sizeof instance, "Lamp bnch%08x", number);
  snprintf(host, sizeof host, "lamp-bnch%08x", number);
  const uint8_t header[12] = {0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 4};
  uint8_t *at = put(packet, header, sizeof header);
  at = put_label(put_label(put_label(at, "_hap"), "_tcp"), "local");
  *at++ = 0;
  uint8_t *data = at = open_record(at, 12, 1, 4500);
  unsigned instance_at = 0xc000u | (unsigned)(at - packet);
  at = close_record(data, put16(put_label(at, instance), 0xc00c));
  data = at = open_record(put16(at, instance_at), 33, 0x8001, 120);
  at = put(at, "\0\0\0\0\0\120", 6);
  unsigned host_at = 0xc000u | (unsigned)(at - packet);
  at = close_record(data, put16(put_label(at, host), 0xc016));
  data = at = open_record(put16(at, instance_at), 16, 0x8001, 4500);
  for (size_t text = 0; text < sizeof texts / sizeof *texts; text++) at = put_label(at, texts[text]);
  at = close_record(data, at);
  data = open_record(put16(at, host_at), 1, 0x8001, 120);
  at = close_record(data, put(data, (const uint8_t[]){10, 1, 0, 2}, 4));
  data = open_record(put16(at, host_at), 28, 0x8001, 120);
  at = close_record(data, put(data, (const uint8_t[]){0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, 16));
  return (size_t)(at - packet);
}

static void write_file(const char *path, const void *first, size_t first_size, const void *second, size_t second_size) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) must(-1, path);
  if (fwrite(first, 1, first_size, file) != first_size || (second_size > 0 && fwrite(second, 1, second_size, file) != second_size)) must(-1, path);
  fclose(file);
}

static int send_traffic(char **words) {
  int fd = open_socket(words[0], words[1][0] == '4' ? AF_INET : AF_INET6, 1);
  size_t (*make)(uint8_t *, uint32_t) = strcmp(words[2], "query") == 0 ? make_query : make_response;
  double interval = 1e9 / atof(words[3]);
  uint32_t first = (uint32_t)strtoul(words[4], NULL, 10);
  uint32_t count = (uint32_t)strtoul(words[5], NULL, 10);
  int64_t *sent = calloc(count, sizeof *sent);
  uint8_t packet[512];
  prctl(PR_SET_TIMERSLACK, 1UL);
  int64_t start = now(CLOCK_MONOTONIC) + 1000000;
  uint32_t number = 0;
  for (; number < count && !stopped; number++) {
    int64_t due = start + (int64_t)(number * interval);
    size_t length = make(packet, first + number);
    if (now(CLOCK_MONOTONIC) < due) {
      struct timespec until = {.tv_sec = due / 1000000000LL, .tv_nsec = due % 1000000000LL};
      while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR && !stopped);
    }
    int64_t time = now(CLOCK_REALTIME);
    if (sendto(fd, packet, length, 0, &group.any, group_length) > 0) sent[number] = time;
  }
  printf("%u packets in %.3f s\n", number, (double)(now(CLOCK_MONOTONIC) - start) / 1e9);
  write_file(words[6], sent, count * sizeof *sent, NULL, 0);
  return 0;
}

static int receive_traffic(char **words) {
  static uint8_t packets[batch][longest];
  static uint8_t controls[batch][64];
  struct iovec vectors[batch];
  struct mmsghdr headers[batch];
  int fd = open_socket(words[0], words[1][0] == '4' ? AF_INET : AF_INET6, 1);
  uint32_t count = (uint32_t)strtoul(words[2], NULL, 10);
  int64_t *arrived = calloc(count, sizeof *arrived);
  uint32_t *copies = calloc(count, sizeof *copies);
  uint64_t frames = 0;
  struct timeval patience = {.tv_usec = 20000};
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");
  puts("ready");
  fflush(stdout);
  for (int drained = 0; !(stopped && drained);) {
    for (int slot = 0; slot < batch; slot++) {
      vectors[slot] = (struct iovec){packets[slot], longest};
      headers[slot].msg_hdr = (struct msghdr){.msg_iov = &vectors[slot], .msg_iovlen = 1, .msg_control = controls[slot], .msg_controllen = sizeof controls[slot]};
    }
    int received = recvmmsg(fd, headers, batch, MSG_WAITFORONE, NULL);
    drained = received < batch;
    for (int slot = 0; slot < received; slot++) {
      struct cmsghdr *control = CMSG_FIRSTHDR(&headers[slot].msg_hdr);
      struct timespec time = {0};
      if (control != NULL && control->cmsg_type == SCM_TIMESTAMPNS) memcpy(&time, CMSG_DATA(control), sizeof time);
      frames++;
      uint8_t *at = packets[slot], *end = at + headers[slot].msg_len;
      uint32_t last = UINT32_MAX;
      while ((at = memmem(at, (size_t)(end - at), "bnch", 4)) != NULL && end - at >= 12) {
        char digits[9] = {0};
        memcpy(digits, at + 4, 8);
        uint32_t number = (uint32_t)strtoul(digits, NULL, 16);
        at += 12;
        if (number >= count || number == last) continue;
        last = number;
        if (copies[number]++ == 0) arrived[number] = time.tv_sec * 1000000000LL + time.tv_nsec;
      }
    }
  }
  write_file(words[3], arrived, count * sizeof *arrived, copies, count * sizeof *copies);
  printf("%llu\n", (unsigned long long)frames);
  return 0;
}

static int hold_port(char **words) {
  char packet[longest];
  unsigned unicast = 0, others = 0;
  int fd = open_socket(words[0], AF_INET, 0);
  struct timeval patience = {.tv_usec = 20000};
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");
  puts("ready");
  fflush(stdout);
  while (!stopped) {
    ssize_t length = recv(fd, packet, sizeof packet, 0);
    if (length == 7 && memcmp(packet, "unicast", 7) == 0) unicast++;
    else if (length >= 0) others++;
  }
  printf("%u %u\n", unicast, others);
  return 0;
}

/* Each from a port of its own: among sockets that share a port, the kernel may choose by where a datagram comes from. */
static int send_unicast(char **words) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, words[0], &to.sin_addr);
  for (int count = atoi(words[1]); count > 0; count--) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd, "socket");
    must(sendto(fd, "unicast", 7, 0, (struct sockaddr *)&to, sizeof to), "sendto");
    close(fd);
    usleep(5000);
  }
  return 0;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  if (argc == 9 && strcmp(argv[1], "send") == 0) return send_traffic(argv + 2);
  if (argc == 6 && strcmp(argv[1], "receive") == 0) return receive_traffic(argv + 2);
  if (argc == 3 && strcmp(argv[1], "hold") == 0) return hold_port(argv + 2);
  if (argc == 4 && strcmp(argv[1], "unicast") == 0) return send_unicast(argv + 2);
  fputs("usage: traffic send|receive|hold|unicast ...\n", stderr);
  return 64;
}
