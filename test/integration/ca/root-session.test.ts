import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { type RootResponse, writeResponse } from "../../../src/ca/root-response.ts";
import { outcomeOf, placeOrder } from "../../../src/ca/issuer-orders.ts";
import type { Signer } from "../../../src/ca/signer.ts";
import { listsDue } from "../../../src/ca/list-publishing.ts";
import { parseCertificate } from "../../../src/pki/certificate-view.ts";
import { readCrl } from "../../../src/pki/crl-reader.ts";
import { newSerial, serialBytes } from "../../../src/pki/serial.ts";
import { takePendingDelegate } from "../../../src/va/delegate-file.ts";
import { SealedTestRoot } from "../../support/root-session.ts";
import { Crash, Fate, system, TestCa } from "../../support/signer.ts";

interface RequestRow {
  readonly state: string;
  readonly findings: readonly string[] | null;
}

async function requestRow(ca: TestCa, id: string): Promise<RequestRow> {
  const [row] = await ca.superuser.query<RequestRow>(
    "select state, findings from ca.root_request where id = $1",
    [id],
  );
  return row ?? { state: "gone", findings: null };
}

/** Leaves a response for the signer, as `suido ca import` does. */
async function leave(ca: TestCa, response: RootResponse): Promise<void> {
  await ca.database.query(
    "update ca.root_request set state = 'answered', response = $2, answered_by = 'cli:test' where id = $1",
    [response.requestId, writeResponse(response)],
  );
}

/** Waits until the signer has dealt with it. */
async function settled(ca: TestCa, id: string): Promise<RequestRow> {
  await expect
    .poll(async () => (await requestRow(ca, id)).state, { timeout: 15_000 })
    .not.toBe("answered");
  return requestRow(ca, id);
}

/** What is wrong with journal, database and lists. */
async function faults(ca: TestCa): Promise<readonly string[]> {
  const { verify, digest } = system;
  const { database, journalFolder } = ca;
  const now = ca.clock();
  const report = await checkInvariants({ database, journalFolder, now, digest, scope: { verify } });
  return report.faults;
}

async function currentList(ca: TestCa): Promise<Buffer> {
  const [row] = await ca.superuser.query<{ der: Buffer }>(
    "select der from ca.list where issuer_id = 'root-g1' and current",
  );
  return row?.der ?? Buffer.alloc(0);
}

async function rootCertificate(ca: TestCa): Promise<Buffer> {
  const [row] = await ca.superuser.query<{ certificate: Buffer }>(
    "select certificate from ca.issuer where id = 'root-g1'",
  );
  return row?.certificate ?? Buffer.alloc(0);
}

describe("a root session", () => {
  let ca: TestCa;
  let root: SealedTestRoot;
  let signer: Signer;
  beforeEach(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
    root = await SealedTestRoot.seal(ca);
    signer = await ca.start();
  });
  afterEach(async () => {
    await signer.close().catch(() => undefined);
    await ca.drop();
  });

  it("renews the root's list and delegate, while the signer works", async () => {
    const before = readCrl(await currentList(ca)).number ?? 0n;
    const { request, content } = await root.request();
    ca.offset = 3 * 86_400_000;
    const response = await root.sign(content);
    await leave(ca, response);
    expect(await settled(ca, request.id)).toEqual({ state: "imported", findings: null });

    const list = await currentList(ca);
    expect(list).toEqual(Buffer.from(response.list));
    expect(readCrl(list).number).toBeGreaterThan(before);
    const row = await ca.row(request.delegate.serial);
    expect([row.state, row.der]).toEqual(["good", Buffer.from(response.delegate)]);
    const { view } = parseCertificate(row.der);
    const [dates] = await ca.superuser.query<{ not_before: Date; not_after: Date }>(
      "select not_before, not_after from ca.issued where serial = $1",
      [Buffer.from(serialBytes(request.delegate.serial))],
    );
    expect(dates).toEqual({ not_before: view.notBefore.date, not_after: view.notAfter.date });

    const taken = {
      requestId: request.id,
      certificate: response.delegate,
      rootCertificate: await rootCertificate(ca),
      now: ca.clock(),
    };
    expect(await takePendingDelegate(root.vaFolder, taken, system.random)).toBe(true);
    expect(await takePendingDelegate(root.vaFolder, taken, system.random)).toBe(false);
    const audit = await ca.superuser.query<{ action: string; actor: string }>(
      "select action, actor from app.audit where action like 'root-request.%' order by at",
    );
    expect(audit).toEqual([
      { action: "root-request.made", actor: "cli:test" },
      { action: "root-request.imported", actor: "cli:test" },
    ]);
    expect((await faults(ca)).filter((fault) => !fault.includes("has expired"))).toEqual([]);
  });

  it("announces a new issuing CA, and keeps it over a restart", async () => {
    const { request, content } = await root.request({ newIssuing: true });
    expect(request.issuing).toMatchObject({ id: "issuing-g2", generation: 2 });
    const response = await root.sign(content);
    await leave(ca, response);
    expect(await settled(ca, request.id)).toEqual({ state: "imported", findings: null });
    const issuers = "select id, state from ca.issuer order by id";
    const expected = [
      { id: "issuing-g1", state: "active" },
      { id: "issuing-g2", state: "announced" },
      { id: "root-g1", state: "active" },
    ];
    expect(await ca.superuser.query(issuers)).toEqual(expected);
    await signer.close();
    signer = await ca.start();
    expect(await ca.superuser.query(issuers)).toEqual(expected);
    const serial = await ca.reserve();
    expect(await signer.issue([serial])).toEqual([{ serial, outcome: "good" }]);
  });

  it("revokes an issuing CA in the commit that brings the list", async () => {
    const { request, content } = await root.request({
      revoke: ["issuing-g1"],
      reason: "cACompromise",
      newIssuing: true,
    });
    const [revoked] = request.revocations;
    const serial = revoked?.serial ?? newSerial(system.random);
    expect((await ca.row(serial)).state).toBe("good");
    const response = await root.sign(content);
    await leave(ca, response);
    expect(await settled(ca, request.id)).toEqual({ state: "imported", findings: null });
    expect(await ca.row(serial)).toMatchObject({
      state: "revoked",
      reason: 2,
      revoked_at: request.at,
    });
    expect([...readCrl(await currentList(ca)).entries()]).toMatchObject([{ serial, reason: 2 }]);
    const audit = await ca.superuser.query<{ detail: object }>(
      "select detail from app.audit where action = 'issuer.revoked' and subject = 'issuer/issuing-g1'",
    );
    expect(audit).toEqual([{ detail: { serial, reason: "cACompromise", by: ["A", "B"] } }]);
    await signer.journal(await ca.lastChange());
    // The next list still has it, and the one after a list without it would be refused.
    const next = await root.request();
    expect(next.request.list.entries).toMatchObject([{ serial, reason: 2 }]);
  });

  it("has on its list the CA that was revoked while the root's key was away, unasked", async () => {
    const id = system.newId();
    const revoke = { kind: "revoke", issuerId: "issuing-g1", reason: 1, by: ["A", "B"] } as const;
    await placeOrder(ca.database, { ...revoke, id, actor: "cli:test" }, ca.clock());
    signer.issuersChanged();
    const done = (): Promise<unknown> => outcomeOf(ca.database, id);
    await expect.poll(done, { timeout: 15_000 }).toEqual({ issuerId: "issuing-g1" });
    await expect(root.request({ revoke: ["issuing-g1"] })).rejects.toThrow(
      "issuing-g1 is revoked already: every request has that on its list",
    );
    const { request, content } = await root.request();
    await leave(ca, await root.sign(content));
    expect((await settled(ca, request.id)).state).toBe("imported");
    expect([...readCrl(await currentList(ca)).entries()]).toMatchObject([{ reason: 1 }]);
  });

  it("has serials that the signer leaves alone however long the session takes", async () => {
    const { request, content } = await root.request();
    ca.offset = 29 * 86_400_000;
    await signer.close();
    signer = await ca.start();
    const [row] = await ca.superuser.query<{ state: string }>(
      "select state from ca.issued where serial = $1",
      [Buffer.from(serialBytes(request.delegate.serial))],
    );
    expect(row).toEqual({ state: "reserved" });
    expect((await signer.status()).reserved).toBe(0);
    expect((await faults(ca)).filter((fault) => fault.includes("reserved"))).toEqual([]);
    await leave(ca, await root.sign(content));
    expect((await settled(ca, request.id)).state).toBe("imported");
  });

  it.for(["journaled", "committed", "root-checked"])(
    "is finished by the next start after a crash at %s",
    async (step) => {
      await signer.close();
      const { request, content } = await root.request({
        newIssuing: true,
        revoke: ["issuing-g1"],
      });
      const response = await root.sign(content);
      const fate = new Fate();
      const doomed = await ca.start(fate);
      fate.crashAt = step;
      await leave(ca, response);
      await expect
        .poll(
          () =>
            doomed.status().then(
              () => "alive",
              (error: unknown) => error,
            ),
          { timeout: 15_000 },
        )
        .toBeInstanceOf(Crash);
      await doomed.close().catch(() => undefined);
      signer = await ca.start();
      expect(await settled(ca, request.id)).toEqual({ state: "imported", findings: null });
      expect(await currentList(ca)).toEqual(Buffer.from(response.list));
      const ids = await ca.superuser.query("select id from ca.issuer where state = 'announced'");
      expect(ids).toEqual([{ id: "issuing-g2" }]);
      // Its own lists are made when the worker sees it: until then it is announced, and in no bundle.
      expect(await faults(ca)).toEqual([]);
    },
  );

  it("is one at a time: a second request withdraws the first, whose response is not taken", async () => {
    const first = await root.request({ newIssuing: true });
    await expect(root.request()).rejects.toThrow(/is open.*--replace/);
    const response = await root.sign(first.content);
    const second = await root.request({ replace: true, newIssuing: true });
    expect(second.request.issuing?.id).toBe("issuing-g3");
    expect(await ca.keyStore.list()).toEqual(["issuing-g1", "issuing-g3"]);
    expect((await requestRow(ca, first.request.id)).state).toBe("withdrawn");
    await expect(leave(ca, response)).rejects.toThrow("closed_has_time");
  });

  it("is asked for no hold of a CA, and for none that is not there", async () => {
    const hold = root.request({ revoke: ["issuing-g1"], reason: "certificateHold" });
    await expect(hold).rejects.toThrow("a CA is revoked for one of");
    await expect(root.request({ revoke: ["issuing-g7"] })).rejects.toThrow("no issuing CA");
    await expect(root.request({ revoke: ["root-g1"] })).rejects.toThrow("no issuing CA");
  });

  it("is not asked for while the root's key is here", async () => {
    const other = await TestCa.create();
    await (await other.start()).close();
    const unsealed = Object.create(root, { ca: { value: other } }) as SealedTestRoot;
    await expect(unsealed.request()).rejects.toThrow("is in this key store");
    await other.drop();
  });

  it("is not the job's to stand in for: a list whose key is away is not due", async () => {
    ca.offset = 200 * 86_400_000;
    expect(await listsDue(ca.database, ca.clock())).toContain("root-g1");
    await ca.database.query("update ca.issuer set is_key_away = true where id = 'root-g1'");
    expect(await listsDue(ca.database, ca.clock())).not.toContain("root-g1");
  });
});
