import { expect, onTestFinished, test } from "vitest";
import { LeaseServer } from "../../../test/fixtures/lease-server.ts";
import { createManualClock, settle } from "../../../test/fixtures/manual-clock.ts";
import { Cell } from "../../core/cell.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { type LinkPair, runRelayLeases } from "./run-relay-leases.ts";

function node(holder: string, server: LeaseServer, first: readonly LinkPair[]) {
  const clock = createManualClock();
  const pairs = new Cell(first);
  const told: string[] = [];
  const controller = new AbortController();
  const done = runRelayLeases(
    {
      kube: server.client(),
      clock,
      log: silentLog,
      conditions: createConditions(clock),
      namespace: "aerial",
      holder,
      pairs,
      onHolder: ([a, b], who) => told.push(`${a}-${b} ${who}`),
    },
    controller.signal,
  );
  const stop = (): Promise<void> => {
    controller.abort(new AerialError("internal.abort", "test over"));
    return done;
  };
  onTestFinished(stop);
  return { pairs, told, stop, clock };
}

const homeIot: LinkPair = ["home", "iot"];
const guestHome: LinkPair = ["home", "guest"];

test("each pair has its own lease, for as long as the pair is there", async () => {
  const server = new LeaseServer();
  const one = node("n1", server, [homeIot]);
  await settle();
  const two = node("n2", server, [guestHome, ["iot", "home"]]);
  await settle();
  expect([one.told, two.told.toSorted()]).toEqual([["home-iot ours"], ["home-guest ours", "iot-home theirs"]]);
  expect([...server.leases.keys()]).toEqual(["aerial-relay-home-iot", "aerial-relay-guest-home"]);

  one.pairs.set([guestHome]);
  await settle();
  expect(one.told.slice(1).toSorted()).toEqual(["home-guest theirs", "home-iot unknown"]);
  expect(two.told.slice(2)).toEqual(["iot-home unknown", "iot-home ours"]);

  one.pairs.set([guestHome, homeIot]);
  await two.stop();
  await settle();
  expect([server.holderOf("aerial-relay-home-iot"), server.holderOf("aerial-relay-guest-home")]).toEqual(["n1", "n1"]);
});

test("a pair that is back at once gets its lease again", async () => {
  const server = new LeaseServer();
  const one = node("n1", server, [homeIot]);
  await settle();
  one.pairs.set([]);
  await Promise.resolve();
  one.pairs.set([homeIot]);
  await settle();
  await one.clock.advance(10_000);
  expect(one.told.at(-1)).toBe("home-iot ours");
  expect(server.holderOf("aerial-relay-home-iot")).toBe("n1");
});

test("when it stops every lease is free", async () => {
  const server = new LeaseServer();
  const one = node("n1", server, [homeIot, guestHome]);
  await settle();
  await one.stop();
  expect([...server.leases.values()].map(({ spec }) => spec["holderIdentity"])).toEqual(["", ""]);
  expect(one.told.slice(2).toSorted()).toEqual(["home-guest unknown", "home-iot unknown"]);
});
