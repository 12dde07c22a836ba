import { expect, test } from "vitest";
import { linkSignal } from "./linked-signal.ts";

test("follows its parent, with the parent's reason", () => {
  const parent = new AbortController();
  using linked = linkSignal(parent.signal);
  expect(linked.signal.aborted).toBe(false);
  parent.abort("stop");
  expect(linked.signal.reason).toBe("stop");
});

test("is aborted already when its parent is", () => {
  using linked = linkSignal(AbortSignal.abort("before"));
  expect(linked.signal.reason).toBe("before");
});

test("can be aborted alone and lets go of its parent when disposed", () => {
  const parent = new AbortController();
  const alone = linkSignal(parent.signal);
  alone.abort("alone");
  expect(alone.signal.reason).toBe("alone");
  expect(parent.signal.aborted).toBe(false);

  const disposed = linkSignal(parent.signal);
  disposed[Symbol.dispose]();
  parent.abort("late");
  expect(disposed.signal.aborted).toBe(false);
});
