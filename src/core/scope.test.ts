import { expect, it } from "vitest";
import { silentLog } from "./log.ts";
import { Scope } from "./scope.ts";

const ignoreFailures = (): void => {};

it("closes last in first out, past a step that fails, and reports the failure", async () => {
  const closed: string[] = [];
  const scope = new Scope(silentLog, ignoreFailures);
  scope.defer("first", () => closed.push("first"));
  scope.defer("broken", () => Promise.reject(new TypeError("cannot close")));
  scope.use("last", { [Symbol.dispose]: () => void closed.push("last") });
  await expect(scope[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [expect.any(TypeError)] });
  expect(closed).toEqual(["last", "first"]);
});

it("aborts a loop only when its turn comes, and waits for it", async () => {
  const order: string[] = [];
  const scope = new Scope(silentLog, ignoreFailures);
  scope.spawn("lower", async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    order.push("lower");
  });
  scope.spawn("upper", async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await new Promise((resolve) => setTimeout(resolve, 10));
    order.push("upper");
  });
  await scope[Symbol.asyncDispose]();
  expect(order).toEqual(["upper", "lower"]);
});

it("tells who asked when a loop ends by itself with an error, and not when it was stopped", async () => {
  const failures: string[] = [];
  const scope = new Scope(silentLog, (error, name) => failures.push(`${name}: ${(error as Error).message}`));
  scope.spawn("broken", () => Promise.reject(new RangeError("by itself")));
  scope.spawn(
    "stopped",
    (signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
  );
  await new Promise((resolve) => setImmediate(resolve));
  await scope[Symbol.asyncDispose]();
  expect(failures).toEqual(["broken: by itself"]);
});

it("closes once", async () => {
  let times = 0;
  const scope = new Scope(silentLog, ignoreFailures);
  scope.defer("once", () => (times += 1));
  await scope[Symbol.asyncDispose]();
  await scope[Symbol.asyncDispose]();
  expect(times).toBe(1);
});
