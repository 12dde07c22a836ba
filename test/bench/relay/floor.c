/*
 * The least that a relay can do, as the measure of the others: every mDNS datagram (RFC 6762, both families) that comes
 * in by one interface goes out by all others, unread. One socket a link and family, bound to the group; poll, recv, send.
 *
 * floor INTERFACE INTERFACE...
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most = 32 };

static struct pollfd sockets[most];
static int family_of[most];
static int count;

static struct sockaddr_in group4;
static struct sockaddr_in6 group6;

static void must(int result, const char *what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static void set(int fd, int level, int option, int value) {
  must(setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

static void open_link(const char *name, int family) {
  if (count == most) exit(1);
  int index = (int)if_nametoindex(name);
  if (index == 0) must(-1, name);
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  must(fd, "socket");
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  int buffer = 4 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0) set(fd, SOL_SOCKET, SO_RCVBUF, buffer);
  must(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1), "SO_BINDTODEVICE");
  if (family == AF_INET) {
    struct ip_mreqn membership = {.imr_multiaddr = group4.sin_addr, .imr_ifindex = index};
    must(bind(fd, (struct sockaddr *)&group4, sizeof group4), "bind");
    must(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership), "join");
    must(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership), "IP_MULTICAST_IF");
    set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255);
    set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  } else {
    struct ipv6_mreq membership = {.ipv6mr_multiaddr = group6.sin6_addr, .ipv6mr_interface = (unsigned)index};
    struct sockaddr_in6 bound = group6;
    bound.sin6_scope_id = (unsigned)index;
    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    must(bind(fd, (struct sockaddr *)&bound, sizeof bound), "bind");
    must(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &membership, sizeof membership), "join");
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  }
  family_of[count] = family;
  sockets[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

int main(int argc, char **argv) {
  static char packet[65536];
  group4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(5353)};
  group6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(5353)};
  inet_pton(AF_INET, "224.0.0.251", &group4.sin_addr);
  inet_pton(AF_INET6, "ff02::fb", &group6.sin6_addr);
  for (int at = 1; at < argc; at++) {
    open_link(argv[at], AF_INET);
    open_link(argv[at], AF_INET6);
  }
  for (;;) {
    must(poll(sockets, (nfds_t)count, -1), "poll");
    for (int from = 0; from < count; from++) {
      if (sockets[from].revents == 0) continue;
      for (int turn = 0; turn < 32; turn++) {
        ssize_t length = recv(sockets[from].fd, packet, sizeof packet, 0);
        if (length < 0) break;
        for (int to = 0; to < count; to++) {
          if (to == from || family_of[to] != family_of[from]) continue;
          if (family_of[to] == AF_INET) sendto(sockets[to].fd, packet, (size_t)length, 0, (struct sockaddr *)&group4, sizeof group4);
          else sendto(sockets[to].fd, packet, (size_t)length, 0, (struct sockaddr *)&group6, sizeof group6);
        }
      }
    }
  }
}
