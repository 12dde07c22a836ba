/** The one place that holds the state, and who is told when it changes. */
import { noFlows } from "./flows.ts";
import type { Action, Resource, State } from "./model.ts";
import type { Problem } from "./problem.ts";

const state: { current: State } = {
  current: {
    connection: { state: "connecting" },
    details: new Map(),
    olderEvents: false,
    flows: noFlows,
    problems: new Map(),
    busy: new Set(),
    role: "operator",
    isLate: false,
    patches: new Map(),
    filter: { radios: "", kind: "", services: "", link: "", mostServices: 50, mostRadios: 60, mostEvents: 10 },
  },
};

let draw: ((state: State) => void) | undefined;
let asked = false;

/** `onChange` is called before the next frame after changes, once for all of them. */
export function drawWith(onChange: (state: State) => void): void {
  draw = onChange;
  redraw();
}

export function currentState(): State {
  return state.current;
}

export function update(change: { readonly [Key in keyof State]?: State[Key] | undefined }): void {
  state.current = { ...state.current, ...change } as State;
  redraw();
}

export function redraw(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw?.(state.current);
  });
}

export function setFilter(change: Partial<State["filter"]>): void {
  update({ filter: { ...state.current.filter, ...change } });
}

export function setProblem(what: Resource | Action, problem: Problem | undefined): void {
  const { problems } = state.current;
  if (problem === undefined && !problems.has(what)) return;
  const next = new Map(problems);
  if (problem === undefined) next.delete(what);
  else next.set(what, problem);
  update({ problems: next });
}

export function setBusy(action: Action, isBusy: boolean): void {
  const busy = new Set(state.current.busy);
  if (isBusy) busy.add(action);
  else busy.delete(action);
  update({ busy });
}
