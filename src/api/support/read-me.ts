/** The first thing in a bundle: what the rest is, and what is not in it. */
import type { BundleFile } from "./bundle-files.ts";

export function writeReadMe(files: readonly BundleFile[], { at, hideNames }: { readonly at: string; readonly hideNames: boolean }): string {
  const longest = Math.max(...files.map(({ name }) => name.length));
  const names = hideNames
    ? "The node's name and the names of radios are taken out too, as name-…."
    : "The node's name and the names of radios are as you gave them; names=hide (`--hide-names`) takes them out.";
  return `A support bundle of aerial, made at ${at}.

${files.map(({ name, about }) => `  ${name.padEnd(longest)}  ${about}`).join("\n")}

A file that ends in .missing says why that part could not be had, one that ends in .cut was too long.

Taken out, and replaced by a token in the same place:

  serial numbers of devices, also within names and ids    serial-…, radio-…
  MAC addresses and EUI-64                                 mac-…
  IPv4 and IPv6 addresses but loopback and groups          ipv4-private-…, ipv6-global-…, ipv6-link-local-…
  names of other devices on the network                    name-…
  passwords, tokens and keys, wherever one was recognized  [removed]

${names}

The same text has the same token throughout this bundle, so that one can see that two places mean the same thing. The
tokens are keyed hashes under a key that was thrown away: they cannot be turned back, and the next bundle has others.

Have a look through it all the same before you pass it on: what nobody could know to be private is still there.
`;
}
