/** The relay as nobody, without capabilities; and with too little of what it does need. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { announcement, recordType, toMessage } from "./dns-wire.ts";
import { arrivals, contains, families, fresh, openMdns, respond, toMdns } from "./must-world.ts";
import { openNetworkLab } from "./network-lab.ts";
import { aerialRelay, openRelay } from "./relays.ts";

/** A user that owns nothing, with no capability left, and none to get back. */
const nobody = [
  "setpriv",
  "--reuid",
  "65534",
  "--regid",
  "65534",
  "--clear-groups",
  "--inh-caps=-all",
  "--bounding-set=-all",
  "--no-new-privs",
  "--",
];

it("relays as uid 65534 without capabilities", { timeout: 60_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"] });
  await using relay = await openRelay(lab, { prefix: nobody });
  const { stdout } = await lab.router.run(["sh", "-c", `grep -h -E '^(Uid|CapEff|CapBnd)' /proc/${relay.pid}/status`]);
  expect(stdout.replaceAll(/\s+/g, " ")).toBe("Uid: 65534 65534 65534 65534 CapEff: 0000000000000000 CapBnd: 0000000000000000 ");
  for (const family of families) {
    await using near = await openMdns(lab.host("A"), family);
    await using far = await openMdns(lab.host("B"), family);
    const word = fresh("nobody");
    await near.send(announcement({ instance: word, addresses: ["10.71.1.11"] }), toMdns(family));
    const [copy] = await arrivals(far, word);
    expect(copy).toMatchObject({ port: 5353, hops: 255 });

    const name = `${fresh("asked-of-nobody")}.local`;
    respond({ socket: far, family, name, answers: [{ name, type: recordType.txt, data: Uint8Array.of(0) }] });
    await using asker = await lab.host("A").listen({ family });
    await asker.send(toMessage({ id: 3, questions: [{ name, type: recordType.txt }] }), toMdns(family));
    expect(contains(await asker.next(), name.slice(0, -6))).toBe(true);
  }
});

it("names the capability it lacks on a kernel that still asks for one", { timeout: 60_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"] });
  const oldKernel = ["/usr/bin/python3", join(import.meta.dirname, "old_kernel.py")];
  await using refused = await lab.router.start([...nobody, ...oldKernel, ...aerialRelay(["lan-a", "lan-b"])]);
  await refused.waitFor(/CAP_NET_RAW/, 20_000);
});
