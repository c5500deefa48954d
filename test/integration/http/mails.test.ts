import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createMailer } from "../../../src/delivery/mailer.ts";
import { messageId } from "../../../src/delivery/mail-message.ts";
import { startSmtp } from "../../support/smtp.ts";
import { newCsr, NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
import { Visitor } from "./visitor.ts";
import type { Answer, Tenant } from "./world.ts";

let world: EnrolmentWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openEnrolmentWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

interface Told {
  readonly state: string;
  readonly says: { readonly ja: string; readonly en: string };
  readonly recipient?: string;
  readonly diagnostic?: string;
}

async function mailsOf(path: string, key?: string): Promise<readonly Told[]> {
  const answer = await world.call("GET", `/v1/${path}/mails`, key === undefined ? {} : { key });
  expect(answer.status).toBe(200);
  return answer.body.items as unknown as readonly Told[];
}

const FROM = { address: "no-reply@suido.example.jp" };

const said = (key: string, more: object = {}) => ({
  messageId: messageId(key, FROM),
  status: "5.1.1",
  diagnostic: "550 no such user",
  ...more,
});

const dsn = (key: string): string =>
  [
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "",
    "--b",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.example.jp",
    "",
    "Action: failed",
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 no such user",
    "",
    "--b",
    "Content-Type: message/rfc822",
    "",
    `Message-ID: ${messageId(key, FROM)}`,
    "",
    "--b--",
    "",
  ].join("\r\n");

const bounce = (body: object, key?: string): Promise<Answer> =>
  world.call("POST", "/v1/mail-bounces", { body, ...(key !== undefined && { key }) });

const post = (payload: string | Buffer, type = "message/rfc822") =>
  world.app.inject({
    method: "POST",
    url: "/v1/mail-bounces",
    headers: { authorization: `Bearer ${world.keys.operator}`, "content-type": type },
    payload,
  });

const tasksOf = async (query = ""): Promise<readonly Record<string, unknown>[]> => {
  const { body } = await world.call("GET", `/v1/tasks?limit=200${query}`);
  return (body.items as unknown as Record<string, unknown>[]).filter(
    ({ corporationId }) => corporationId === tenant.corporationId,
  );
};

/** The mail of a new enrolment, sent, and its enrolment. */
async function invited() {
  const enrolment = await world.make(tenant);
  const mail = (await world.sent()).find(({ key }) => key.includes(enrolment.id));
  if (mail === undefined) throw new Error("no mail was sent");
  return { ...enrolment, mail, path: `enrolments/${enrolment.id}` };
}

describe("the ledger", () => {
  it("says how far a mail has come, in honest words", async () => {
    const { id, link = "" } = await world.make(tenant);
    const path = `enrolments/${id}`;
    const waiting = { state: "waiting", says: { ja: "送信待ち" } };
    expect(await mailsOf(path, world.keys.support)).toMatchObject([waiting]);
    const mail = (await world.sent()).find(({ key }) => key.includes(id));
    const accepted = { ja: "相手のサーバーが受け取りました", en: "Accepted by their server" };
    expect(await mailsOf(path)).toMatchObject([
      { state: "accepted", says: accepted, recipient: mail?.to, acceptedAt: NOW.toISOString() },
    ]);
    // Begun from the link of the answer: not from the mail.
    const press = (url: string) => new Visitor(world.app).press({ token: url.slice(-32) });
    await press(link);
    // Beside it lies the code that the page has sent for.
    const states = async () => (await mailsOf(path)).map(({ state }) => state).toSorted();
    expect(await states()).toEqual(["accepted", "waiting"]);
    const [mailed = ""] =
      /http:\/\/localhost:8000\/start\/[0-9a-f]{32}/.exec(mail?.text ?? "") ?? [];
    await press(mailed);
    expect(await states()).toEqual(["followed", "waiting", "waiting"]);
    const followed = (await mailsOf(path)).find(({ state }) => state === "followed");
    expect(followed).toMatchObject({ says: { ja: "リンクから始めました" } });
  });

  it("names mails that nobody needed any more, and none of what is unknown", async () => {
    const { id } = await world.make(tenant);
    await world.call("POST", `/v1/enrolments/${id}/withdraw`);
    await world.sent();
    expect(await mailsOf(`enrolments/${id}`)).toMatchObject([{ state: "not-sent" }]);
    for (const path of [
      `enrolments/${randomUUID()}`,
      "certificates/41c39e07b25d4f6a8c10e7725f3d8d12",
    ])
      expect(await world.call("GET", `/v1/${path}/mails`)).toMatchObject({ status: 404 });
  });

  it("is told of a certificate too, and not to products", async () => {
    const { accountId, deviceId } = tenant;
    const { body } = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr: newCsr() },
    });
    const path = `certificates/${body.serialNumber}`;
    expect(await mailsOf(path)).toEqual([]);
    await world.call("POST", `/v1/${path}/renew-now`, { body: { reason: "incident" } });
    expect(await mailsOf(path)).toMatchObject([{ kind: "renew-now", state: "waiting" }]);
    const answer = await world.call("GET", `/v1/${path}/mails`, { key: world.keys.product });
    expect(answer.status).toBe(403);
  });
});

describe("a mail that comes back", () => {
  it("is found by the address that it came back to, whatever the report says", async () => {
    const { mail, path } = await invited();
    const server = await startSmtp();
    const mailer = createMailer({
      url: server.url,
      from: FROM.address,
      bounceDomain: "bounces.example.jp",
      outbox: "",
      onError: () => undefined,
    });
    await mailer.send(mail);
    await mailer.close();
    await server.close();
    const [sender = ""] = server.senders;
    expect(sender).toMatch(/^bounce\+[0-9a-f]{32}@bounces\.example\.jp$/);
    expect(server.mails()[0]?.headers.get("from")).toContain(FROM.address);
    const head = `From: MAILER-DAEMON@mx.example.jp\r\nTo: ${sender}\r\n\r\n`;
    const late = await post(`${head}Still trying: 4.4.1 no answer`);
    expect([late.statusCode, late.json()]).toMatchObject([200, { returned: false }]);
    const back = await post(`${head}I'm not going to try again: 550 5.1.1 unknown user`);
    expect([back.statusCode, back.json()]).toMatchObject([200, { returned: true }]);
    expect(await mailsOf(path)).toMatchObject([{ state: "returned" }]);
    const [task] = await tasksOf("&open=true&kind=returned");
    expect(task?.["diagnostic"]).toContain("550 5.1.1 unknown user");
    const facts = await world.side.admin.query(
      "select detail from app.audit where subject = $1 and action = 'task.opened' and corporation_id = $2",
      [`task/${String(task?.["id"])}`, tenant.corporationId],
    );
    expect(facts).toEqual([{ detail: { kind: "returned", about: task?.["subject"] } }]);
  });

  it.for(["message/rfc822", "application/json"] as const)(
    "is told as %s, once: state, audit row, event, and a task until somebody closes it",
    async (type) => {
      const { mail, path } = await invited();
      const payload = type === "message/rfc822" ? dsn(mail.key) : JSON.stringify(said(mail.key));
      const first = await post(payload, type);
      expect([first.statusCode, first.json()]).toEqual([
        200,
        expect.objectContaining({ returned: true }),
      ]);
      const before = await world.counts();
      expect((await post(payload, type)).json()).toEqual(first.json());
      expect(await world.counts()).toEqual(before);
      expect(await mailsOf(path)).toMatchObject([
        { state: "returned", says: { ja: "戻ってきました" }, returnedAt: NOW.toISOString() },
      ]);
      const id = first.json<{ id: string }>().id;
      const facts = await world.side.admin.query(
        `select from app.audit a join app.event e on e.xid = a.xid and e.type = 'jp.suido.' || a.action
         where a.subject = $1 and a.action = 'mail.returned' and a.corporation_id = $2`,
        [`mail/${id}`, tenant.corporationId],
      );
      expect(facts).toHaveLength(1);
      const [task, ...others] = await tasksOf("&open=true&kind=returned");
      expect(others).toEqual([]);
      expect(task).toMatchObject({ subject: `mail/${id}`, address: mail.to });
      expect(task?.["diagnostic"]).toContain("550 no such user");
      const close = () => world.call("POST", `/v1/tasks/${String(task?.["id"])}/close`);
      const closed = await close();
      expect(closed).toMatchObject({ status: 200, body: { closedAt: NOW.toISOString() } });
      expect((await close()).body).toEqual(closed.body);
      expect(await tasksOf("&open=true")).toEqual([]);
      expect(await tasksOf("&open=false")).toHaveLength(1);
    },
  );

  it("changes nothing where it is only late, and is not found where it is none of ours or another's", async () => {
    const { mail } = await invited();
    const other = await world.tenant("よそ");
    const before = await world.counts();
    const late = await bounce(said(mail.key, { status: "4.2.2" }));
    expect(late).toMatchObject({ status: 200, body: { returned: false } });
    expect(await bounce(said("no such key"))).toMatchObject({ status: 404 });
    expect(await bounce(said(mail.key), other.key)).toMatchObject({ status: 404 });
    expect(await world.counts()).toEqual(before);
  });

  it.for([
    ["another Message-ID", { messageId: "<x@example.jp>" }, 422],
    ["no status", { status: "bad" }, 422],
    ["a member too many", { more: 1 }, 400],
  ] as const)("is refused with %s, by the field's name", async ([, more, status]) => {
    const answer = await bounce({ ...said("k"), ...more });
    expect([answer.status, answer.body.errors?.length]).toEqual([status, 1]);
  });

  it("is refused in words where its octets are hostile, and leaves nothing", async () => {
    const before = await world.counts();
    for (const payload of [
      "",
      "\0".repeat(1000),
      Buffer.from([0xff, 0xfe, 0x0d, 0x0a]),
      dsn("k"),
    ]) {
      const { statusCode, headers } = await post(payload);
      expect([400, 404, 422]).toContain(statusCode);
      expect(headers["content-type"]).toContain("application/problem+json");
    }
    expect((await post("x".repeat(600_000))).statusCode).toBe(413);
    expect((await post("x", "text/plain")).statusCode).toBe(415);
    expect(await world.counts()).toEqual(before);
  });

  it.for(["support", "auditor", "product", "proxy"] as const)(
    "is not for the role %s to say",
    async (role) => {
      expect(await bounce(said("k"), world.keys[role])).toMatchObject({ status: 403 });
    },
  );
});
