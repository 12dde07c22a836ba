/** What a PromQL expression asks for, read with the grammar of Prometheus' own user interface. */
import { parser } from "@prometheus-io/lezer-promql";
import type { SyntaxNode } from "@lezer/common";

interface LabelMatcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

interface MetricSelector {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
}

export interface ReadExpression {
  readonly selectors: readonly MetricSelector[];
  /** Labels in `by`, `on`, `group_left` and the like. */
  readonly groupings: readonly string[];
}

/** Throws for what is no PromQL. Grafana's variables have to be filled in already. */
export function readExpression(text: string): ReadExpression {
  const selectors: MetricSelector[] = [];
  const groupings: string[] = [];
  const textOf = ({ from, to }: SyntaxNode): string => text.slice(from, to);
  parser.parse(text).iterate({
    enter({ node, type }) {
      if (type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`);
      if (type.name === "VectorSelector") selectors.push(readSelector(node, textOf));
      if (type.name === "GroupingLabels") groupings.push(...node.getChildren("LabelName").map(textOf));
    },
  });
  return { selectors, groupings };
}

function readSelector(node: SyntaxNode, textOf: (node: SyntaxNode) => string): MetricSelector {
  const name = node.getChild("Identifier");
  if (name === null) throw new Error(`a selector without a metric's name: ${textOf(node)}`);
  const matchers = (node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []).map((matcher) => {
    const [label, operator, value] = ["LabelName", "MatchOp", "StringLiteral"].map((kind) => matcher.getChild(kind));
    if (!label || !operator || !value) throw new Error(`a matcher that is none: ${textOf(matcher)}`);
    return { label: textOf(label), operator: textOf(operator), value: textOf(value).slice(1, -1) };
  });
  return { metric: textOf(name), matchers };
}
