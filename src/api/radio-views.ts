/** The radios as the API shows them: what the inventory knows, with who was given each. */
import { Cell, type Watch } from "../core/cell.ts";
import { groupBy } from "../core/group-by.ts";
import type { RadioHolder } from "../core/handover.ts";
import type { Radio, Snapshot } from "../core/radio.ts";
import type { RadioHolding } from "./contract/types.ts";
import { type RadioView, toRadioView } from "./radio-view.ts";

/** What is known of handing radios to pods. Both answer at once, from memory. */
export interface HandoverView {
  readonly holders: Watch<readonly RadioHolder[]>;
  /** The extended resource by which pods ask for a radio; undefined for one that can't be handed to any. */
  resourceOf(radio: Radio): string | undefined;
}

/** All of them at one moment. The same object until something changes. */
export interface ViewedRadios {
  readonly snapshot: Snapshot;
  readonly view: (radio: Radio) => RadioView;
}

interface ViewSources {
  readonly snapshots: Watch<Snapshot>;
  readonly handover?: HandoverView;
}

/** Changes with the inventory and with who holds what; follows both until the signal aborts. */
export function watchRadioViews({ snapshots, handover }: ViewSources, signal: AbortSignal): Watch<ViewedRadios> {
  let last: { readonly viewed: ViewedRadios; readonly holders: readonly RadioHolder[] | undefined } | undefined;
  const current = (): ViewedRadios => {
    const snapshot = snapshots.current;
    const holders = handover?.holders.current;
    if (last?.viewed.snapshot !== snapshot || last.holders !== holders) last = { viewed: viewRadios(snapshot, handover), holders };
    return last.viewed;
  };
  const changed = new Cell(undefined);
  const follow = async (watch: Watch<unknown>): Promise<void> => {
    for await (const _value of watch.changes(signal)) changed.set(undefined);
  };
  void follow(snapshots);
  if (handover !== undefined) void follow(handover.holders);
  return {
    get current() {
      return current();
    },
    async *changes(stop) {
      for await (const _change of changed.changes(stop)) yield current();
    },
  };
}

/** As they are now. */
export function viewRadios(snapshot: Snapshot, handover: HandoverView | undefined): ViewedRadios {
  if (handover === undefined) return { snapshot, view: toRadioView };
  const holdings = groupBy(handover.holders.current, ({ radioId }) => radioId);
  return {
    snapshot,
    view(radio) {
      const resource = handover.resourceOf(radio);
      const handedTo = (holdings.get(radio.id) ?? []).map(toHolding);
      return { ...toRadioView(radio), ...(resource !== undefined && { resource }), handedTo };
    },
  };
}

function toHolding({ namespace, pod, container, way, request, since }: RadioHolder): RadioHolding {
  return { namespace, pod, container, way, request, since };
}
