/** The lab itself: packets arrive as they were sent, and nothing outlives it. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { toMdns } from "./must-world.ts";
import { openNetworkLab } from "./network-lab.ts";

const deadlineMs = 10_000;
const payload = Uint8Array.of(1, 2, 3);

it("tells of a datagram where from, where to, over how many hops and when", async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"] });
  for (const family of [4, 6] as const) {
    const { to, port } = toMdns(family);
    await using far = await lab.router.listen({ family, port, groups: [to], interface: "lan-a" });
    await using near = await lab.host("A").listen({ family, port });
    const sent = await near.send(payload, { to, port, hops: 7 });
    const heard = await far.next();
    const source = family === 4 ? lab.host("A").address(4) : await lab.host("A").linkLocal();
    expect(heard).toMatchObject({ source, port, to, hops: 7, data: payload });
    expect(heard.at - sent).toBeGreaterThanOrEqual(0);
    expect(heard.at - sent).toBeLessThan(1_000);
  }
});

it.each([false, true])("lets its router forward IP only if told so (%s)", async (routed) => {
  await using lab = await openNetworkLab({ links: ["a", "b"], routed });
  await using far = await lab.host("B").listen({ family: 6 });
  await using near = await lab.host("A").listen({ family: 6 });
  await near.send(payload, { to: lab.host("B").address(6), port: far.port });
  const arrived = far.next(() => true, routed ? 3_000 : 500).then(({ hops }) => hops, String);
  expect(await arrived).toEqual(routed ? 254 : expect.stringContaining("but nothing"));
});

it("leaves no process behind, not even when who opened it is killed", async () => {
  const mark = `aerial-left-behind-${process.pid}`;
  const script = `
    import { openNetworkLab } from ${JSON.stringify(join(import.meta.dirname, "network-lab.ts"))};
    const lab = await openNetworkLab({ links: ["a"] });
    await lab.host("A").start(["bash", "-c", "exec -a ${mark} sleep 600"]);
    console.log("open");
    setInterval(() => {}, 1000);`;
  const opener = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const processes = (): string => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  await new Promise((resolve) => opener.stdout.once("data", resolve));
  await expect.poll(processes, { timeout: deadlineMs }).toContain(`${mark} 600`);
  opener.kill("SIGKILL");
  await expect.poll(processes, { timeout: deadlineMs }).not.toContain(`${mark} 600`);
});
