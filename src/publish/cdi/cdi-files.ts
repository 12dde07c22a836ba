/** The CDI files that a snapshot asks for. Pure. */
import { createHash } from "node:crypto";
import { handoverVariables } from "../../core/handed-container.ts";
import type { RadioEdits, ResourceGroups } from "../../core/handover.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { editsFor } from "../handover/radio-edits.ts";
import { groupRadios } from "../handover/resource-groups.ts";
import { cdiClass, cdiDeviceName, plainDeviceName } from "./cdi-device-name.ts";

export interface CdiFileOptions {
  readonly groups: ResourceGroups;
  /** The group that owns the nodes in containers. */
  readonly groupId: number;
}

/** A container can have so many radios of one group. */
const ordinals = [1, 2, 3, 4, 5, 6, 7, 8] as const;
/** The lowest version that has all we use: `hostPath` is of 0.5.0, `additionalGids` of 0.7.0 (CDI SPEC.md, "Released versions"). */
const cdiVersion = "0.7.0";
/** Owner and group may read and write. */
const fileMode = 0o660;
/** File names end at 255 bytes; a domain alone may have 253. */
const longestDomain = 150;

/** What the kind of our files is, and what their names begin with. */
export function cdiNames(domain: string): { readonly kind: string; readonly prefix: string } {
  return { kind: `${domain}/${cdiClass}`, prefix: `${domain.slice(0, longestDomain)}-${cdiClass}_` };
}

/** The file of a radio: its id, or a hash of what could not be a part of a file's name. */
export function cdiFileName(domain: string, radioId: string): string {
  const safe = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(radioId) ? radioId : createHash("sha256").update(radioId).digest("hex");
  return `${cdiNames(domain).prefix}${safe}.json`;
}

/** File name → content, one for each radio that is there and can be handed over; the same bytes for the same facts. */
export function cdiFilesFor(snapshot: Snapshot, options: CdiFileOptions): ReadonlyMap<string, string> {
  const { domain } = options.groups;
  const files = new Map<string, string>();
  for (const [group, radios] of groupRadios(snapshot.radios.values(), options.groups)) {
    for (const radio of radios) {
      if (radio.presence !== "present") continue;
      // All, however many radios there are now: a container may have been given this one as its second when there were more.
      const devices = ordinals.map((ordinal) => {
        const edits = editsFor(radio, { group, ordinal, node: snapshot.node });
        return toDevice({ radio, ordinal, edits, options });
      });
      files.set(cdiFileName(domain, radio.id), `${JSON.stringify({ cdiVersion, kind: cdiNames(domain).kind, devices }, undefined, 2)}\n`);
    }
  }
  return files;
}

interface DeviceSource {
  readonly radio: Radio;
  readonly ordinal: number;
  readonly edits: RadioEdits;
  readonly options: CdiFileOptions;
}

/**
 * With the numbers in it the runtime looks nothing up: a container gets the nodes that its environment tells of, or none at all
 * once they are gone, but never another device that has taken the path.
 */
function toDevice({ radio, ordinal, edits, options: { groups, groupId } }: DeviceSource): object {
  const idVariable = Object.keys(edits.environment).find((name) => handoverVariables.id.test(name));
  const cdi = idVariable === undefined ? {} : { [handoverVariables.cdiOf(idVariable)]: cdiDeviceName(groups.domain, radio.id, ordinal) };
  return {
    name: plainDeviceName(radio.id, ordinal),
    containerEdits: {
      env: Object.entries({ ...edits.environment, ...cdi }).map(([name, value]) => `${name}=${value}`),
      deviceNodes: edits.nodes.map(({ path, hostPath, major, minor }) => {
        return { path, hostPath, type: "c", major, minor, fileMode, permissions: "rw", uid: 0, gid: groupId };
      }),
      additionalGids: [groupId],
    },
  };
}
