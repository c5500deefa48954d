import type { Health } from "./health.ts";

/** What is counted since the start of the process, by outcome. */
export interface Counts {
  /** `new`, `unchanged`, or the code of the refusal. */
  readonly fetches: Map<string, number>;
  /** `done`, or the code of the failure. */
  readonly reloads: Map<string, number>;
}

/** One more of this outcome. */
export function count(of: Map<string, number>, outcome: string): void {
  of.set(outcome, (of.get(outcome) ?? 0) + 1);
}

const escape = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

function line(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${escape(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

// oxlint-disable-next-line max-params -- the four parts of a metric, one a line below
function metric(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  return head + samples.map((sample) => line(name, sample)).join("");
}

const seconds = (date: Date): number => date.getTime() / 1000;

const moment = (date: Date | undefined): Sample[] =>
  date === undefined ? [] : [{ value: seconds(date) }];

const byOutcome = (counts: ReadonlyMap<string, number>): Sample[] =>
  [...counts].map(([outcome, value]) => ({ labels: { outcome }, value }));

/** The figures in Prometheus's text format, for its node exporter's textfile collector or the listener. */
export function metricsText(health: Health, counts: Counts): string {
  const { acknowledgedAt, generation, inForce, lastContact, lists, ok } = health;
  const ofLists = (value: (list: Health["lists"][number]) => number): Sample[] =>
    lists.map((list) => ({ labels: { issuer: list.name }, value: value(list) }));
  const isInForce = generation !== undefined && inForce?.generation === generation;
  return [
    metric("suido_gate_ok", "gauge", "1 while what the proxy works with is fresh.", [
      { value: Number(ok) },
    ]),
    metric("suido_gate_generation", "gauge", "The generation that is in place.", [
      { value: generation ?? 0 },
    ]),
    metric("suido_gate_in_force", "gauge", "1 while the proxy works with that generation.", [
      { value: Number(isInForce) },
    ]),
    metric(
      "suido_gate_list_this_update_seconds",
      "gauge",
      "Unix time of thisUpdate of the list in force.",
      ofLists(({ thisUpdate }) => seconds(thisUpdate)),
    ),
    metric(
      "suido_gate_list_next_update_seconds",
      "gauge",
      "Unix time at which the list in force ends and the proxy refuses everybody.",
      ofLists(({ nextUpdate }) => seconds(nextUpdate)),
    ),
    metric(
      "suido_gate_list_life_used_ratio",
      "gauge",
      "How much of the life of the list in force is over.",
      ofLists(({ lifeUsed }) => lifeUsed),
    ),
    metric(
      "suido_gate_last_contact_seconds",
      "gauge",
      "Unix time at which Suido last answered with something good.",
      moment(lastContact),
    ),
    metric(
      "suido_gate_acknowledged_seconds",
      "gauge",
      "Unix time at which Suido was last told what is in force.",
      moment(acknowledgedAt),
    ),
    metric(
      "suido_gate_fetches_total",
      "counter",
      "Questions for new files by outcome.",
      byOutcome(counts.fetches),
    ),
    metric(
      "suido_gate_reloads_total",
      "counter",
      "Times that the proxy was told, by outcome.",
      byOutcome(counts.reloads),
    ),
  ].join("");
}
