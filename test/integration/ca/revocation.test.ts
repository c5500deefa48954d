import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { REASON_CODES, type RevocationReason } from "../../../src/pki/revocation-reason.ts";
import { newSerial, parseSerial, type Serial, serialBytes } from "../../../src/pki/serial.ts";
import { journalHistory } from "../../../src/ca/journal.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, boundTo, newCsr, NOW, openAppSide } from "./app-side.ts";

const app = await openAppSide();
const { issuance, revocation, certificates, admin, signer, time } = app;
const staff = await addStaff(app);

let count = 0;
let here: Tenant;
let serial: Serial;

beforeEach(async () => {
  time.now = NOW;
  signer.isAway = false;
  here = await insertTenant(admin, `corporation ${++count}`);
  const { deviceId, accountId } = here;
  ({ serialNumber: serial } = await issuance.issue(staff, { deviceId, accountId, csr: newCsr() }));
});

afterAll(() => app.close());

const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

const changesOf = (of: Serial): Promise<{ kind: string; reason: number | null }[]> =>
  admin.query("select kind, reason from ca.change where serial = $1 order by seq", [
    serialBytes(of),
  ]);

/** What the audit log and the outbox say of the certificate, besides its issue. */
const factsOf = (of: Serial): Promise<object[]> =>
  admin.query(
    `select action, actor, detail, (select count(*)::int from app.event where event.subject = audit.subject and type = 'jp.suido.' || action
       and event.corporation_id = audit.corporation_id) as events
     from app.audit where subject = $1 and action in ('certificate.revoked', 'certificate.held', 'certificate.released') order by at, action`,
    [`certificate/${of}`],
  );

const journaled = (of: Serial): string[] =>
  [...journalHistory(app.journalFolder)].flatMap((record) =>
    record.kind === "change" && record.serial === of ? [record.change] : [],
  );

const statusOf = async (of: Serial): Promise<string> => (await certificates.one(staff, of)).status;

/** A first certificate that is out of use, and what its key gets after that. */
async function usedAgain(): Promise<{ readonly first: Serial; readonly csr: string }> {
  const { deviceId, accountId } = here;
  const csr = newCsr();
  const { serialNumber: first } = await issuance.issue(staff, { deviceId, accountId, csr });
  await revocation.revoke(staff, first, "superseded");
  return { first, csr };
}

describe("revoke", () => {
  const reasons = Object.entries(REASON_CODES).filter(([name]) => name !== "certificateHold") as [
    RevocationReason,
    number,
  ][];

  it.for(reasons)("%s: row, change, audit row, event and journal", async ([reason, code]) => {
    time.now = later(60);
    const answer = await revocation.revoke(staff, serial, reason);
    expect(answer).toMatchObject({
      journaled: true,
      certificate: { serialNumber: serial, status: "revoked", reason, revokedAt: later(60) },
    });
    expect(await changesOf(serial)).toEqual([{ kind: "revoke", reason: code }]);
    expect(await factsOf(serial)).toEqual([
      { action: "certificate.revoked", actor: staff.actor, detail: { reason }, events: 1 },
    ]);
    expect(journaled(serial)).toEqual(["revoke"]);
  });

  it("again with the same reason changes nothing", async () => {
    const first = await revocation.revoke(staff, serial, "superseded");
    expect(first.changed).toBe(true);
    time.now = later(60);
    expect(await revocation.revoke(staff, serial, "superseded")).toEqual({
      ...first,
      changed: false,
    });
    expect(await changesOf(serial)).toHaveLength(1);
    expect(await factsOf(serial)).toHaveLength(1);
  });

  it("again with another reason is a conflict that names the first", async () => {
    await revocation.revoke(staff, serial, "superseded");
    await expect(revocation.revoke(staff, serial, "cessationOfOperation")).rejects.toThrow(
      expect.objectContaining({ code: "already-revoked", reason: "superseded", revokedAt: NOW }),
    );
    await expect(revocation.revoke(staff, serial, "certificateHold")).rejects.toThrow(
      expect.objectContaining({ code: "already-revoked" }),
    );
    expect(await changesOf(serial)).toHaveLength(1);
  });

  it("may always become keyCompromise, with its date kept, and nothing else after that", async () => {
    await revocation.revoke(staff, serial, "superseded");
    time.now = later(60);
    const { certificate } = await revocation.revoke(staff, serial, "keyCompromise");
    expect(certificate).toMatchObject({ reason: "keyCompromise", revokedAt: NOW });
    await expect(revocation.revoke(staff, serial, "superseded")).rejects.toThrow(
      expect.objectContaining({ code: "already-revoked", reason: "keyCompromise" }),
    );
    expect(journaled(serial)).toEqual(["revoke", "revoke"]);
  });

  it("tells that the journal does not have it while the signer is away, and that it has when asked again", async () => {
    signer.isAway = true;
    const answer = await revocation.revoke(staff, serial, "keyCompromise");
    expect(answer).toMatchObject({ journaled: false, certificate: { status: "revoked" } });
    signer.isAway = false;
    expect(await revocation.revoke(staff, serial, "keyCompromise")).toEqual({
      ...answer,
      changed: false,
      journaled: true,
    });
  });

  it("does not wait for a signer that does not answer", async () => {
    signer.isSilent = true;
    const answer = await revocation.revoke(staff, serial, "keyCompromise");
    signer.isSilent = false;
    expect(answer).toMatchObject({ journaled: false, certificate: { status: "revoked" } });
  });

  it("of what has no certificate says so", async () => {
    const { deviceId, accountId } = await insertTenant(admin, `reserved ${count}`);
    signer.isAway = true;
    signer.asked.length = 0;
    await expect(issuance.issue(staff, { deviceId, accountId, csr: newCsr() })).rejects.toThrow(
      "the signer is away",
    );
    const reserved = parseSerial(signer.asked[0] ?? "");
    await expect(revocation.revoke(staff, reserved, "superseded")).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
    await admin.query("update ca.issued set state = 'refused' where serial = $1", [
      serialBytes(reserved),
    ]);
    await expect(revocation.revoke(staff, reserved, "superseded")).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
  });

  it("of an expired certificate is refused", async () => {
    time.now = new Date("2028-01-01T00:00:00Z");
    await expect(revocation.revoke(staff, serial, "superseded")).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
  });

  it("ten at once with two reasons: one wins, and only its equals agree", async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        revocation.revoke(staff, serial, i % 2 === 0 ? "superseded" : "affiliationChanged"),
      ),
    );
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect(await changesOf(serial)).toHaveLength(1);
    expect(await factsOf(serial)).toHaveLength(1);
  });
});

describe("keyCompromise and the other certificates of the key", () => {
  it.for(["good", "hold"])("revokes one that is %s, in the same commit", async (state) => {
    const { deviceId, accountId } = here;
    const { first, csr } = await usedAgain();
    const { serialNumber: second } = await issuance.issue(staff, { deviceId, accountId, csr });
    if (state === "hold") await revocation.revoke(staff, second, "certificateHold");
    time.now = later(60);
    expect(await revocation.revoke(staff, first, "keyCompromise")).toMatchObject({
      changed: true,
      journaled: true,
      certificate: { serialNumber: first, reason: "keyCompromise", revokedAt: NOW },
    });
    expect(await certificates.one(staff, second)).toMatchObject({
      status: "revoked",
      reason: "keyCompromise",
      revokedAt: state === "hold" ? NOW : later(60),
    });
    for (const of of [first, second]) {
      expect((await changesOf(of)).at(-1)).toEqual({ kind: "revoke", reason: 1 });
      expect((await factsOf(of)).at(-1)).toEqual({
        action: "certificate.revoked",
        actor: staff.actor,
        detail: { reason: "keyCompromise" },
        // The first one was revoked before, for another reason.
        events: of === first ? 2 : 1,
      });
      expect(journaled(of).at(-1)).toBe("revoke");
    }
    expect(await statusOf(serial)).toBe("good");
  });

  it("leaves the reason of one that is revoked already, and other keys alone", async () => {
    const { deviceId, accountId } = here;
    const { first, csr } = await usedAgain();
    const { serialNumber: second } = await issuance.issue(staff, { deviceId, accountId, csr });
    await revocation.revoke(staff, second, "keyCompromise");
    expect(await certificates.one(staff, first)).toMatchObject({ reason: "superseded" });
    expect(await changesOf(first)).toHaveLength(1);
    expect(await statusOf(serial)).toBe("good");
  });

  it("revokes one that was only reserved then as soon as it is signed", async () => {
    const { deviceId, accountId } = here;
    const { first, csr } = await usedAgain();
    signer.isAway = true;
    signer.asked.length = 0;
    await expect(issuance.issue(staff, { deviceId, accountId, csr })).rejects.toThrow(
      "the signer is away",
    );
    signer.isAway = false;
    const reserved = parseSerial(signer.asked[0] ?? "");
    await revocation.revoke(staff, first, "keyCompromise");
    await signer.issue([reserved]);
    expect(await certificates.one(staff, reserved)).toMatchObject({
      status: "revoked",
      reason: "keyCompromise",
    });
    expect(await factsOf(reserved)).toMatchObject([
      { action: "certificate.revoked", actor: "signer", events: 1 },
    ]);
  });
});

describe("hold", () => {
  it("and release, as often as need be", async () => {
    expect((await revocation.revoke(staff, serial, "certificateHold")).certificate).toMatchObject({
      status: "hold",
      reason: "certificateHold",
      revokedAt: NOW,
    });
    time.now = later(60);
    const { certificate } = await revocation.unhold(staff, serial);
    expect(certificate.status).toBe("good");
    expect(certificate).not.toHaveProperty("reason");
    expect(certificate).not.toHaveProperty("revokedAt");
    time.now = later(120);
    expect(
      (await revocation.revoke(staff, serial, "certificateHold")).certificate.revokedAt,
    ).toEqual(later(120));
    expect(await changesOf(serial)).toEqual([
      { kind: "hold", reason: 6 },
      { kind: "unhold", reason: null },
      { kind: "hold", reason: 6 },
    ]);
    expect(journaled(serial)).toEqual(["hold", "unhold", "hold"]);
    expect(await factsOf(serial)).toMatchObject([
      { action: "certificate.held", detail: { reason: "certificateHold" } },
      { action: "certificate.released", detail: {} },
      { action: "certificate.held" },
    ]);
  });

  it("twice changes nothing", async () => {
    const first = await revocation.revoke(staff, serial, "certificateHold");
    time.now = later(60);
    expect(await revocation.revoke(staff, serial, "certificateHold")).toEqual({
      ...first,
      changed: false,
    });
  });

  it("may become final, with the date of the hold", async () => {
    await revocation.revoke(staff, serial, "certificateHold");
    time.now = later(60);
    expect(
      (await revocation.revoke(staff, serial, "privilegeWithdrawn")).certificate,
    ).toMatchObject({
      status: "revoked",
      reason: "privilegeWithdrawn",
      revokedAt: NOW,
    });
    await expect(revocation.unhold(staff, serial)).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
  });

  it("is the only state that can be released", async () => {
    await expect(revocation.unhold(staff, serial)).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
  });

  it("is not released in quarantine, and the certificate stays on hold", async () => {
    await revocation.revoke(staff, serial, "certificateHold");
    await admin.query("update ca.journal_mark set quarantined_at = now()");
    await expect(revocation.unhold(staff, serial)).rejects.toThrow(
      expect.objectContaining({ code: "quarantine" }),
    );
    await admin.query("update ca.journal_mark set quarantined_at = null");
    expect((await certificates.one(staff, serial)).status).toBe("hold");
  });
});

describe("whose certificate it is", () => {
  it("another corporation's is not there", async () => {
    const stranger = boundTo((await insertTenant(admin, `stranger ${count}`)).corporationId);
    const notFound: unknown = expect.objectContaining({ code: "not-found" });
    await expect(revocation.revoke(stranger, serial, "superseded")).rejects.toThrow(notFound);
    await expect(revocation.unhold(stranger, serial)).rejects.toThrow(notFound);
    await expect(
      revocation.revoke(
        staff,
        newSerial((octets) => new Uint8Array(octets).fill(7)),
        "superseded",
      ),
    ).rejects.toThrow(notFound);
    expect((await certificates.one(staff, serial)).status).toBe("good");
  });

  it("one's own is", async () => {
    expect(
      (await revocation.revoke(boundTo(here.corporationId), serial, "superseded")).certificate
        .status,
    ).toBe("revoked");
  });
});
