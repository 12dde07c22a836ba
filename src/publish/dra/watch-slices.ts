/** Watching this node's ResourceSlices: the kubelet removes them as it starts, and they have to be back before anybody notices. */
import { type FollowedCollection, followCollection } from "../../kube/follow-collection.ts";
import type { Kube } from "../../kube/kube.ts";
import { type SlicesAccess, type SlicesOutput, readSlices, slicesSelector } from "./slices-output.ts";
import { slicesPath, toSliceView } from "./slice-view.ts";

export interface WatchSlicesDependencies extends SlicesAccess, Pick<FollowedCollection, "clock" | "log" | "conditions"> {
  readonly kube: Pick<Kube, "list" | "watch">;
  readonly output: Pick<SlicesOutput, "listed" | "changed" | "removed">;
}

/** Follows them until aborted; where they cannot be watched they are read anew now and then. */
export async function watchSlices(dependencies: WatchSlicesDependencies, signal: AbortSignal): Promise<void> {
  const { output } = dependencies;
  await followCollection(
    {
      ...dependencies,
      path: slicesPath,
      fieldSelector: slicesSelector(dependencies),
      leastPauseMs: 5_000,
      condition: { code: "output.resource-slices.unwatched", consequence: "ResourceSlices that the kubelet removes are back late" },
      async look(stop) {
        const { slices, version } = await readSlices(dependencies, stop);
        output.listed(slices);
        return version;
      },
      changed(type, object) {
        const view = toSliceView(object);
        if (type === "DELETED") output.removed(view);
        else output.changed(view);
        return view.resourceVersion;
      },
    },
    signal,
  );
}
