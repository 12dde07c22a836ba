import fc from "fast-check";
import { expect, it } from "vitest";
import { isPlugin, pluginProblems } from "./plugin-shape.ts";

const row = { id: "row", match: { name: /acme/i }, says: "is", kinds: ["zigbee"], certainty: "likely", probe: "none", source: "test" };
const networkRow = { id: "acme-network", service: "_acme._tcp", says: "is", kinds: ["zigbee"], certainty: "likely", source: "test" };
const plugin = { apiVersion: 1, name: "acme", fingerprints: [row] };

it("accepts a plugin", () => {
  expect(pluginProblems(plugin)).toEqual([]);
  expect(isPlugin(plugin)).toBe(true);
  const { certainty: _certainty, kinds: _kinds, ...isNot } = { ...networkRow, says: "is-not", text: { vn: "Acme*" }, instance: "a*" };
  expect(pluginProblems({ ...plugin, network: [networkRow, { ...isNot, id: "not" }] })).toEqual([]);
});

it.each([
  [undefined, "the plugin is not an object; make it with definePlugin({…})"],
  [{ ...plugin, apiVersion: 2 }, "apiVersion is 2, and this aerial speaks 1; use the plugin's release for it"],
  [{ name: "old" }, "apiVersion is missing, and this aerial speaks 1; use the plugin's release for it"],
  [{ ...plugin, name: "Acme Radio" }, "name: must be lower-case letters, digits and `-`, at most 40"],
  [{ ...plugin, start: () => {} }, 'plugin: Unrecognized key: "start"'],
  [{ ...plugin, fingerprints: [{ ...row, match: {} }] }, "fingerprints[0] (row).match: asks for nothing: it would match every device"],
  [
    { ...plugin, fingerprints: [{ ...row, match: { vendorId: "10C4" } }] },
    "fingerprints[0] (row).match.vendorId: must be four lower-case hex digits",
  ],
  [
    { ...plugin, fingerprints: [{ ...row, certainty: "certain", alternatives: ["thread"] }] },
    "fingerprints[0] (row): is `certain` and yet has alternatives",
  ],
  [{ ...plugin, fingerprints: [row, row] }, 'fingerprints: two rows have the id "row"'],
  [{ ...plugin, network: [{ ...networkRow, id: "row" }] }, 'fingerprints: two rows have the id "row"'],
  [
    { ...plugin, network: [{ ...networkRow, service: "_http._tcp" }] },
    "network[0] (acme-network): anything may offer this service: it makes no radio",
  ],
  [
    { ...plugin, network: [{ ...networkRow, service: "acme" }] },
    "network[0] (acme-network).service: must be a DNS-SD type in lower case, such as `_slzb-06._tcp`",
  ],
  [{ ...plugin, network: [{ ...networkRow, text: { Radio_Type: "znp" } }] }, "network[0] (acme-network).text: keys must be in lower case"],
  [{ ...plugin, network: [{ ...networkRow, instance: /acme/i }] }, /^network\[0\] \(acme-network\)\.instance: /],
  [
    { ...plugin, network: [{ ...networkRow, certainty: "certain", alternatives: ["thread"] }] },
    "network[0] (acme-network): is `certain` and yet has alternatives",
  ],
  [{ ...plugin, describe: "text" }, "describe: must be a function"],
])("says what is wrong with %o", (value, problem) => {
  expect(pluginProblems(value)).toEqual([typeof problem === "string" ? problem : expect.stringMatching(problem)]);
});

it("never throws, whatever it is given", () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (value, rows) => {
      expect(pluginProblems(value).length).toBeGreaterThan(0);
      pluginProblems({ ...plugin, fingerprints: rows });
      pluginProblems({ ...plugin, fingerprints: [rows] });
      pluginProblems({ ...plugin, network: [rows] });
    }),
  );
});
