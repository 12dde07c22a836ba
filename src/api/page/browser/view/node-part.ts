/** The machine aerial runs on, and the radios of the cluster's other nodes. */
import { saveSupportBundle } from "../data/actions.ts";
import type { ClusterRadioList, NodeView, PluginList, State } from "../data/model.ts";
import { type Child, h, type VirtualElement } from "../dom/element.ts";
import { kindName } from "../words/kind-words.ts";
import { describeSpan } from "../words/when.ts";
import { icon } from "./icon.ts";
import { button, codeBlock, counted, fact, pill, problemNote, section, sentence, skeletons } from "./pieces.ts";

const clusterWords: Readonly<Record<NodeView["cluster"]["state"], string>> = {
  none: "none: radios are found, named and shown, but not labelled",
  connecting: "connecting",
  connected: "connected",
  failing: "failing; Health says why",
};

export function nodePart({ config, node, report, plugins, problems, busy, role }: State): VirtualElement {
  return section(
    {
      id: "node",
      title: "This node",
      actions:
        role === "operator" &&
        button({
          icon: "download",
          label: "Support bundle",
          onPress: () => void saveSupportBundle(),
          busy: busy.has("bundle"),
          about: "for a bug report",
        }),
    },
    problemNote(problems.get("bundle"), "The support bundle could not be made."),
    problemNote(problems.get("node"), "The node could not be read."),
    node === undefined
      ? !problems.has("node") && skeletons(3, "row")
      : h(
          "dl",
          { class: "facts card wide" },
          fact("Name", node.name),
          report !== undefined && fact("System", report.os.name),
          fact("Kernel", h("code", {}, node.kernel)),
          fact("aerial", `${node.version}, up for ${describeSpan(node.uptimeSeconds)}`),
          fact("Cluster", clusterWords[node.cluster.state], node.cluster.server !== undefined && h("code", {}, ` ${node.cluster.server}`)),
          plugins !== undefined && fact("Plugins", pluginsInWords(plugins)),
        ),
    node !== undefined && node.blindSpots.length > 0 && blindSpots(node),
    config !== undefined &&
      h(
        "details",
        { class: "group", key: "config" },
        h("summary", {}, icon("chevron"), "Configuration in effect"),
        codeBlock(JSON.stringify(config, undefined, 2), "the configuration"),
      ),
  );
}

function pluginsInWords(plugins: PluginList["plugins"]): Child {
  const failed = plugins.filter(({ state }) => state === "failed");
  const files = plugins.filter(({ origin }) => origin === "file");
  return [
    `${plugins.length - failed.length} running`,
    files.length > 0 && `, ${files.length} of your own`,
    failed.length > 0 && h("strong", {}, `, failed: ${failed.map(({ name }) => name).join(", ")}`),
  ];
}

function blindSpots({ blindSpots: spots }: NodeView): VirtualElement {
  return h(
    "details",
    { class: "group", key: "blind" },
    h("summary", {}, icon("chevron"), `What aerial cannot see here (${spots.length})`),
    h(
      "ul",
      { class: "rows quiet", role: "list" },
      ...spots.map(({ what, why }) =>
        h(
          "li",
          { class: "row plain" },
          icon("unknown"),
          h("div", { class: "row-body" }, h("p", { class: "row-title" }, sentence(what)), h("p", { class: "muted" }, sentence(why))),
        ),
      ),
    ),
  );
}

/** Nothing where there is no cluster. */
export function clusterPart({ cluster, node, problems }: State): VirtualElement | false {
  if (node === undefined || node.cluster.state === "none") return false;
  return section(
    { id: "cluster", title: "Cluster", aside: cluster === undefined ? undefined : counted(cluster.nodes.length, "node") },
    problemNote(problems.get("cluster"), "The other nodes could not be asked for."),
    cluster === undefined
      ? !problems.has("cluster") && skeletons(2, "row")
      : h("ul", { class: "nodes", role: "list" }, ...cluster.nodes.map((one) => clusterNode(one, cluster, node.name))),
  );
}

function clusterNode({ name, ready }: ClusterRadioList["nodes"][number], { radios }: ClusterRadioList, self: string): VirtualElement {
  const own = radios.filter(({ node }) => node === name);
  return h(
    "li",
    { key: name, class: "card" },
    h(
      "div",
      { class: "node-head" },
      h("h3", {}, name, name === self && h("span", { class: "muted" }, " · this one")),
      ready ? pill("well", "Ready") : pill("attention", "Not ready"),
    ),
    own.length === 0
      ? h("p", { class: "muted" }, "No radios.")
      : h(
          "ul",
          { role: "list", class: "node-radios" },
          ...own.map(({ id, name: given, kinds, vendor, model, state }) =>
            h(
              "li",
              { key: id, class: state },
              h("strong", {}, given ?? ([vendor, model].filter((word) => word !== undefined).join(" ") || id)),
              h("span", { class: "muted" }, ` ${kinds.map(kindName).join(", ") || "unclear"}${state === "absent" ? " · gone" : ""}`),
            ),
          ),
        ),
  );
}
