/** The whole list of radios as it goes over the wire: most requests come between two changes, so it is written once for each. */
import { createHash } from "node:crypto";
import type { Watch } from "../core/cell.ts";
import { type ContractDocument, resolveReferences } from "./contract/document.ts";
import type { RadioList } from "./contract/types.ts";
import type { ViewedRadios } from "./radio-views.ts";
import { createSerializers } from "./schema-compilers.ts";
import { toRadioList } from "./watch-stream.ts";

interface WrittenList {
  readonly body: Buffer;
  /** Its entity tag: the same bytes, the same tag. */
  readonly tag: string;
}

export interface RadioLists {
  /** All radios; the same object until something changes. */
  readonly whole: WrittenList;
  /** A part of them. */
  write(list: RadioList): WrittenList;
}

/** Kept by who asks, but asked about each time. */
export const listCaching = "private, no-cache";

export function createRadioLists(views: Pick<Watch<ViewedRadios>, "current">, document: ContractDocument): RadioLists {
  const schema = resolveReferences({ $ref: "#/components/schemas/RadioList" }, document);
  const serialize = createSerializers()({ schema, method: "GET", url: "" });
  const write = (list: RadioList): WrittenList => {
    const body = Buffer.from(serialize(list));
    return { body, tag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
  };
  let last: { readonly viewed: ViewedRadios; readonly written: WrittenList } | undefined;
  return {
    write,
    get whole() {
      const viewed = views.current;
      if (last?.viewed !== viewed) last = { viewed, written: write(toRadioList(viewed)) };
      return last.written;
    },
  };
}
