/** Elements as data: what the document is to look like. `patch.ts` makes it so. */

type Handler = (event: never) => unknown;

/** Attributes by their names; `on…` are handlers; `value` is set when it changes here, so that what is typed stays. `false` and `undefined` leave an attribute away, `true` sets it empty. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | Handler>>;

interface OwnAttributes {
  readonly key?: string;
  readonly mounted?: (element: Element) => void;
}

export interface VirtualElement {
  readonly tag: string;
  /** Tells it from its siblings across renderings; elements with different keys are never made into each other. */
  readonly key: string | undefined;
  readonly attributes: Attributes;
  readonly children: readonly VirtualNode[];
  /** Called once, when the element is in the document. */
  readonly mounted?: ((element: Element) => void) | undefined;
}

/** An element that need not be rendered again while what it was rendered from is the same. */
export interface Memo {
  readonly key: string;
  readonly from: readonly unknown[];
  render(): VirtualElement;
}

export type VirtualNode = VirtualElement | Memo | string;

/** What may be written as a child; nothing comes of `false`, `null` and `undefined`. */
export type Child = VirtualNode | number | false | null | undefined | readonly Child[];

/** Text is text wherever it comes from: nothing here parses HTML. `key` and `mounted` are taken out of the attributes. */
export function h(
  tag: string,
  { key, mounted, ...attributes }: Attributes & OwnAttributes = {},
  ...children: readonly Child[]
): VirtualElement {
  const flat: VirtualNode[] = [];
  flatten(children, flat);
  return { tag, key, mounted, attributes, children: flat };
}

/** As `render()` says, which is only asked again once a value of `from` is another (Object.is). */
export function memo(key: string, from: readonly unknown[], render: () => VirtualElement): Memo {
  return { key, from, render };
}

/** Neighbouring texts become one, as the document has them. */
function flatten(children: readonly Child[], into: VirtualNode[]): void {
  for (const child of children) {
    if (child === false || child === null || child === undefined || child === "") continue;
    if (Array.isArray(child)) flatten(child as readonly Child[], into);
    else if (typeof child === "object") into.push(child as VirtualNode);
    else if (typeof into.at(-1) === "string") into[into.length - 1] = `${into.at(-1) as string}${child}`;
    else into.push(String(child));
  }
}
