import { Service } from "../support/service.ts";
import { limit, percentile, print } from "./figures.ts";

/**
 * P13: pages for pharmacists, as a browser that has begun an enrolment gets them: how long each takes from its request to the
 * last octet of its answer, and what must be loaded before somebody can begin, the script that makes the key among it. The
 * peer is the limit of each.
 */
const TURNS = Number(process.argv[2] ?? 300);

/** Before the first that counts: what is compiled once. */
const WARM_TURNS = 50;

const P95_MS = 25;
const KILOBYTES = 120;

const BROWSER = {
  accept: "text/html",
  "accept-language": "ja",
  "user-agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
};

type Headers = Readonly<Record<string, string>>;

/** The text of a page. Throws where it is another than the one that is measured. */
async function pageAt(url: string, headers: Headers): Promise<string> {
  const reply = await fetch(url, { headers, redirect: "error" });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
  return text;
}

async function measure(name: string, url: string, headers: Headers): Promise<void> {
  const took: number[] = [];
  for (let turn = -WARM_TURNS; turn < TURNS; turn += 1) {
    const began = performance.now();
    await pageAt(url, headers);
    if (turn >= 0) took.push(performance.now() - began);
  }
  print({ name: `P13-${name}-median`, value: percentile(took, 50), unit: "ms" });
  print({
    name: `P13-${name}-p95`,
    value: percentile(took, 95),
    unit: "ms",
    beside: limit(P95_MS),
  });
}

/** Octets of a page and of all that it refers to. */
async function firstLoad(origin: string, page: string): Promise<number> {
  const paths = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
    ([, path = ""]) => path,
  );
  const parts = await Promise.all(
    paths.map(async (path) => (await fetch(origin + path)).arrayBuffer()),
  );
  return parts.reduce((sum, { byteLength }) => sum + byteLength, Buffer.byteLength(page));
}

const service = await Service.open({ SUIDO_LOG_LEVEL: "error" });
try {
  const { accountId, deviceId } = await service.world();
  const { id, link } = await service.must<{ readonly id: string; readonly link: string }>(
    "POST",
    "/v1/enrolments",
    { body: { accountId, deviceId } },
  );
  const { app } = service.instance.urls;
  const load = await firstLoad(app, await pageAt(link, BROWSER));
  print({ name: "P13-first-load", value: load / 1000, unit: "KB", beside: limit(KILOBYTES) });
  await measure("invited", link, BROWSER);

  const token = link.split("/").at(-1) ?? "";
  const begun = await fetch(`${app}/start`, {
    method: "POST",
    headers: BROWSER,
    body: new URLSearchParams({ token }),
    redirect: "manual",
  });
  const [cookie = ""] = (begun.headers.get("set-cookie") ?? "").split(";", 1);
  const known = { ...BROWSER, cookie };
  await measure("identify", `${app}/way`, known);
  await service.must("POST", `/v1/enrolments/${id}/confirm`, { body: { how: "telephone" } });
  await measure("install", `${app}/way`, known);
  await measure("equipment", `${app}/equipment`, BROWSER);
  await measure("console", `${app}/console`, BROWSER);
} finally {
  await service.dispose();
}
