import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { BulkIssue } from "../../../src/ca/bulk-issue.ts";
import { makeDeviceKey } from "../../support/service.ts";
import { type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
let other: Tenant;
beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("甲薬局");
  other = await world.tenant("乙薬局");
});
afterAll(() => world.close());

const itemOf = ({ accountId, deviceId }: Tenant) => ({
  accountId,
  deviceId,
  csr: makeDeviceKey().csr,
});

async function look(id: string): Promise<BulkIssue> {
  return (await world.call("GET", `/v1/bulk-issues/${id}`)).body as unknown as BulkIssue;
}

const LINES = "application/x-ndjson";

/** Sends these lines as they are. */
async function postLines(
  lines: string,
  { query = "", ...more }: { query?: string; idempotencyKey?: string } = {},
) {
  const answer = await world.app.inject({
    method: "POST",
    url: `/v1/bulk-issues?corporationId=${tenant.corporationId}${query}`,
    headers: {
      authorization: `Bearer ${world.keys.operator}`,
      "content-type": LINES,
      ...(more.idempotencyKey !== undefined && { "idempotency-key": more.idempotencyKey }),
    },
    payload: lines,
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<BulkIssue>() };
}

const linesOf = (items: readonly object[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join("");

const bare = (csr: string): string => csr.replaceAll(/-----[^-]+-----|\s/g, "");

describe("as lines", () => {
  it("takes one item a line, requests in PEM and in bare Base64", async () => {
    const [a, b, c] = [itemOf(tenant), itemOf(tenant), itemOf(tenant)];
    const items = [a, { ...b, csr: bare(b.csr) }, c];
    const taken = await postLines(linesOf(items).trimEnd(), { idempotencyKey: "lines" });
    expect(taken).toMatchObject({
      status: 202,
      headers: { location: `/v1/bulk-issues/${taken.body.id}` },
      body: { total: 3, profile: "device-client", corporationId: tenant.corporationId },
    });
    const again = await postLines(linesOf(items), { idempotencyKey: "lines" });
    expect(again).toMatchObject({ status: 202, body: { id: taken.body.id } });
    await world.side.workOnBulkIssues();
    expect(await look(taken.body.id)).toMatchObject({ state: "ended", issued: 3 });
  });

  it("names each fault by its line", async () => {
    const before = await world.counts();
    const [a, b, c] = [itemOf(tenant), itemOf(tenant), itemOf(tenant)];
    const wrong = [a, { ...b, deviceId: other.deviceId }, { ...c, accountId: other.accountId }];
    expect(await postLines(linesOf(wrong))).toMatchObject({
      status: 422,
      body: {
        type: "/problems/bulk-refused",
        errors: [
          { field: "line 2: deviceId", detail: "there is no such device" },
          { field: "line 3: accountId", detail: "there is no such account" },
        ],
      },
    });
    expect(await postLines(linesOf([a, a]))).toMatchObject({
      status: 422,
      body: { errors: [{ field: "line 2: csr", detail: "has the same key as line 1: csr" }] },
    });
    expect(
      await postLines(`${JSON.stringify(a)}\n7\n${JSON.stringify({ ...b, key: 1 })}`),
    ).toMatchObject({
      status: 400,
      body: {
        type: "/problems/invalid-request",
        errors: [
          { field: "line 2", detail: "must be an object" },
          { field: "line 3: key", detail: "is not known here" },
        ],
      },
    });
    expect(await world.counts()).toEqual(before);
  });

  it("refuses lines that are no JSON, by their numbers", async () => {
    const a = itemOf(tenant);
    const lines = ["{", JSON.stringify(a), "", '{"__proto__":{}}', ""].join("\n");
    expect(await postLines(lines)).toMatchObject({
      status: 400,
      body: {
        type: "/problems/malformed-request",
        errors: [{ field: "line 1" }, { field: "line 3" }, { field: "line 4" }],
      },
    });
  });

  it.for<[string, string, number, string]>([
    ["no line", "", 400, "items"],
    ["too many lines", "{}\n".repeat(10_001), 400, "body"],
    ["a line that is too long", `{"csr":"${"A".repeat(40_000)}"}`, 413, "body"],
    ["a body that is too long", `${" ".repeat(30_000)}\n`.repeat(900), 413, "body"],
  ])("refuses %s", async ([, lines, status, field]) => {
    expect(await postLines(lines)).toMatchObject({ status, body: { errors: [{ field }] } });
  });

  it("and JSON says in its body for whom it is", async () => {
    const answer = await world.call("POST", "/v1/bulk-issues?profile=device-client", {
      body: { corporationId: tenant.corporationId, items: [itemOf(tenant)] },
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: "profile" }] } });
  });
});

it.for<["GET" | "POST", string, Readonly<Record<string, string>>, number, string]>([
  [
    "POST",
    "",
    { "content-type": "text/csv" },
    415,
    "the body must be application/json or application/x-ndjson",
  ],
  [
    "GET",
    `/${crypto.randomUUID()}/report`,
    { accept: "image/png" },
    406,
    "only application/x-ndjson or text/csv is served here",
  ],
])("%s /bulk-issues%s with %o is %i", async ([method, path, headers, status, detail]) => {
  const answer = await world.app.inject({
    method,
    url: `/v1/bulk-issues${path}`,
    headers: { authorization: `Bearer ${world.keys.operator}`, ...headers },
    payload: "x",
  });
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ detail });
});

it("reports a table to who names text/csv", async () => {
  const { body } = await postLines(linesOf([itemOf(tenant)]));
  await world.side.workOnBulkIssues();
  const answer = await world.app.inject({
    url: `/v1/bulk-issues/${body.id}/report`,
    headers: { authorization: `Bearer ${world.keys.auditor}`, accept: "text/csv" },
  });
  expect(answer.headers["content-type"]).toContain("text/csv");
  const { accountId, deviceId } = tenant;
  const [row = ""] = answer.body.split("\r\n").slice(1);
  const serialNumber = row.split(",")[4] ?? "";
  const one = await world.call("GET", `/v1/certificates/${serialNumber}`);
  const { notAfter } = one.body as unknown as { notAfter: string };
  expect(answer.body.split("\r\n")).toEqual([
    "place,deviceId,accountId,state,serialNumber,notAfter,problem,detail",
    `0,${deviceId},${accountId},issued,${serialNumber},${notAfter},,`,
    "",
  ]);
});
