/** Makes the document match, with the least change: what stays keeps its focus, its scroll position and whether it is open. */
import type { Attributes, Memo, VirtualElement, VirtualNode } from "./element.ts";

/** What is in the document now, and what it was rendered from. */
interface Rendered {
  readonly node: Node;
  readonly element: VirtualElement | undefined;
  readonly memo: Memo | undefined;
  readonly children: readonly Rendered[];
}

const svgNamespace = "http://www.w3.org/2000/svg";

/** Draws into a container, each time what has changed since the last. */
export function createRoot(container: Element): (children: readonly VirtualNode[]) => void {
  let drawn: readonly Rendered[] = [];
  return (children) => {
    const mounted: (() => void)[] = [];
    drawn = patchChildren({ parent: container, mounted }, drawn, children);
    for (const tell of mounted) tell();
  };
}

interface Place {
  readonly parent: Element;
  readonly mounted: (() => void)[];
}

function patchChildren(place: Place, before: readonly Rendered[], after: readonly VirtualNode[]): readonly Rendered[] {
  const { parent } = place;
  const keyed = new Map<string, Rendered>();
  const rest = new Map<string, Rendered[]>();
  for (const old of before) {
    const key = keyOf(old.memo ?? old.element);
    if (key !== undefined) keyed.set(key, old);
    else {
      const kind = old.element?.tag ?? "";
      const same = rest.get(kind);
      if (same === undefined) rest.set(kind, [old]);
      else same.push(old);
    }
  }
  const matches = after.map((node) => {
    const key = typeof node === "string" ? undefined : keyOf(node);
    if (key === undefined) return rest.get(typeof node === "string" ? "" : (node as VirtualElement).tag)?.shift();
    const old = keyed.get(key);
    keyed.delete(key);
    return old;
  });
  const kept = new Set(matches);
  for (const old of before) if (!kept.has(old)) parent.removeChild(old.node);

  let next: Node | null = before.find((old) => kept.has(old))?.node ?? null;
  return after.map((node, index) => {
    const drawn = patchNode(place, matches[index], node);
    if (drawn.node === next) next = next.nextSibling;
    else if (matches[index] !== undefined && matches[index].node === next && matches[index].node !== drawn.node) {
      next = next.nextSibling;
      parent.replaceChild(drawn.node, matches[index].node);
    } else {
      if (matches[index] !== undefined && matches[index].node !== drawn.node) parent.removeChild(matches[index].node);
      parent.insertBefore(drawn.node, next);
    }
    return drawn;
  });
}

function keyOf(node: VirtualElement | Memo | undefined): string | undefined {
  return node?.key;
}

function patchNode(place: Place, old: Rendered | undefined, node: VirtualNode): Rendered {
  if (typeof node === "string") {
    if (old === undefined) return { node: document.createTextNode(node), element: undefined, memo: undefined, children: [] };
    if (old.node.nodeValue !== node) old.node.nodeValue = node;
    return old;
  }
  if ("tag" in node) return patchElement(place, old, { element: node, memo: undefined });
  const { from } = node;
  if (old?.memo?.from.length === from.length && from.every((value, index) => Object.is(value, old.memo?.from[index]))) return old;
  return patchElement(place, old, { element: node.render(), memo: node });
}

function patchElement(
  { parent, mounted }: Place,
  old: Rendered | undefined,
  { element, memo }: { readonly element: VirtualElement; readonly memo: Memo | undefined },
): Rendered {
  const { tag, attributes, children } = element;
  if (old?.element?.tag === tag) {
    const node = old.node as Element;
    setAttributes(node, old.element.attributes, attributes);
    return { node, element, memo, children: patchChildren({ parent: node, mounted }, old.children, children) };
  }
  const isSvg = tag === "svg" || (parent.namespaceURI === svgNamespace && parent.tagName !== "foreignObject");
  const node = isSvg ? document.createElementNS(svgNamespace, tag) : document.createElement(tag);
  const drawn = patchChildren({ parent: node, mounted }, [], children);
  setAttributes(node, {}, attributes);
  const tell = element.mounted;
  if (tell !== undefined) mounted.push(() => tell(node));
  return { node, element, memo, children: drawn };
}

function setAttributes(node: Element, before: Attributes, after: Attributes): void {
  for (const name of Object.keys(before)) if (!(name in after)) setAttribute(node, name, undefined);
  for (const [name, value] of Object.entries(after)) if (value !== before[name]) setAttribute(node, name, value);
}

function setAttribute(node: Element, name: string, value: Attributes[string]): void {
  if (typeof value === "function" || name.startsWith("on")) {
    // What a handler returns must not matter: `false` would keep the browser from doing what it does.
    const handle = typeof value === "function" ? (event: Event) => void value(event as never) : null;
    (node as unknown as Record<string, unknown>)[name] = handle;
  } else if (name === "value" && "value" in node) {
    if (node.value !== value) node.value = value ?? "";
  } else if (value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}
