/** What can be done from here. Each is one request; its problem is kept for where its button is. */
import type { Action, DoctorReport, HistoryEvent, Radio } from "./model.ts";
import { toProblem } from "./problem.ts";
import { mergeEvents, reload, reloadDetail, takeReport } from "./reload.ts";
import { ask, askJson } from "./requests.ts";
import { announce } from "./announce.ts";
import { currentState, setBusy, setProblem, update } from "./store.ts";

async function act(action: Action, run: () => Promise<void>): Promise<boolean> {
  if (currentState().busy.has(action)) return false;
  setBusy(action, true);
  setProblem(action, undefined);
  try {
    await run();
    return true;
  } catch (error) {
    const problem = toProblem(error);
    setProblem(action, problem);
    announce(problem.message);
    return false;
  } finally {
    setBusy(action, false);
  }
}

export function rescan(): Promise<boolean> {
  return act("rescan", async () => {
    await ask("/rescan", { method: "POST" });
    reload("radios", "node");
    announce("Looked for devices; the list is up to date.");
  });
}

export function runDoctor(): Promise<boolean> {
  return act("doctor", async () => {
    update(takeReport(await askJson<DoctorReport>("/doctor", { method: "POST" })));
    announce("The machine has been examined.");
  });
}

/** `undefined` takes the name or the kind away. */
export function changeRadio(id: string, change: { readonly name: string | null } | { readonly kind: string | null }): Promise<boolean> {
  return act("name" in change ? "rename" : "kind", async () => {
    const changed = await askJson<Radio>(`/radios/${encodeURIComponent(id)}`, { method: "PATCH", body: change });
    update({ radios: (currentState().radios ?? []).map((radio) => (radio.id === id ? changed : radio)) });
    await reloadDetail(id);
    announce("Saved.");
  });
}

export function loadOlderEvents(): Promise<boolean> {
  return act("older", async () => {
    const known = currentState().events ?? [];
    const limit = Math.min(1_000, known.length + 200);
    const { events } = await askJson<{ readonly events: readonly HistoryEvent[] }>(`/events?order=newest&limit=${limit}`);
    update({ events: mergeEvents(events, known), olderEvents: events.length === limit && limit < 1_000 });
  });
}

/** Has the browser save the archive. */
export function saveSupportBundle(): Promise<boolean> {
  return act("bundle", async () => {
    const response = await ask("/support-bundle", { method: "POST" });
    const name = /filename="?([\w.-]+)"?/.exec(response.headers.get("content-disposition") ?? "")?.[1];
    saveAs(await response.blob(), name ?? "aerial-support.tar.gz");
    announce("The support bundle is saved.");
  });
}

/** The patch for everything, or for one check, in the form asked for. */
export async function loadPatch(check: string | undefined): Promise<void> {
  const { talosVersion } = currentState();
  const query = new URLSearchParams({
    ...(talosVersion !== undefined && { version: talosVersion }),
    ...(check !== undefined && { check }),
  });
  const key = patchKey(check);
  if (currentState().patches.has(key)) return;
  try {
    const patch = await (await ask(`/doctor/patch?${query.toString()}`)).text();
    update({ patches: new Map(currentState().patches).set(key, patch) });
  } catch (error) {
    setProblem("doctor", toProblem(error));
  }
}

export function patchKey(check: string | undefined): string {
  return `${check ?? "all"} ${currentState().talosVersion ?? ""}`;
}

export function saveAs(contents: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(contents);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Copies to the clipboard. Over plain HTTP from another machine browsers have no clipboard, but still an old command. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    const host = document.activeElement?.closest("dialog") ?? document.body;
    const focused = document.activeElement;
    host.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}
