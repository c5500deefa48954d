import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { Crash, Fate, system, TestCa } from "../../support/signer.ts";

/** What the invariants say a good while later, so that nothing is excused as just under way. */
async function assertSound(ca: TestCa): Promise<void> {
  const now = new Date(ca.clock().getTime() + 120_000);
  const report = await checkInvariants({
    database: ca.database,
    journalFolder: ca.journalFolder,
    now,
    digest: system.digest,
    scope: { verify: system.verify },
  });
  if (!report.ok) throw new Error(report.faults.join("; "));
}

describe("the process ends between two steps of issuing", () => {
  let ca: TestCa;

  beforeAll(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
  });
  afterAll(() => ca.drop());
  afterEach(() => assertSound(ca));

  it.for([
    { step: "read", becomes: "abandoned" },
    { step: "approved", becomes: "abandoned" },
    { step: "signed", becomes: "abandoned" },
    { step: "journaled", becomes: "good" },
    { step: "committed", becomes: "good" },
  ])("at $step: the next start makes it $becomes", async ({ step, becomes }) => {
    const fate = new Fate();
    const dying = await ca.start(fate);
    const serials = await ca.reserveMany(3);
    fate.crashAt = step;
    await expect(dying.issue(serials)).rejects.toThrow(Crash);
    // The dead process commits nothing more; its file and its connections are gone.
    const next = await ca.start();
    for (const serial of serials) expect((await ca.row(serial)).state).toBe(becomes);
    const [audited] = await ca.superuser.query<{ n: number }>(
      "select count(*)::int as n from app.audit where action = 'certificate.issued' and subject = any($1)",
      [serials.map((serial) => `certificate/${serial}`)],
    );
    expect(audited?.n).toBe(becomes === "good" ? 3 : 0);
    await next.close();
  });

  it("after the epoch was raised, before the journal heard of it: the next start is an ordinary one", async () => {
    const fate = new Fate();
    fate.crashAt = "epoch";
    await expect(ca.open(fate)).rejects.toThrow(Crash);
    expect(await ca.open()).toMatchObject({ state: "ready", found: "ordinary" });
  });
  it("between journal and publication of lists: the old ones stay, and numbers go on rising", async () => {
    const fate = new Fate();
    const dying = await ca.start(fate);
    const { batchId, lists } = await dying.prepareLists("issuing-g1");
    fate.crashAt = "journaled";
    await expect(
      dying.commitLists(
        batchId,
        lists.map(({ sha256 }) => sha256),
      ),
    ).rejects.toThrow(Crash);
    const next = await ca.start();
    const later = await next.prepareLists("issuing-g1");
    expect(later.lists[0]?.number).toBeGreaterThan(lists[0]?.number ?? 0n);
    await next.close();
  });
  it("after a change was journaled: it is there once", async () => {
    const signer = await ca.start();
    const serial = await ca.reserve();
    await signer.issue([serial]);
    await signer.close();
    const fate = new Fate();
    const dying = await ca.start(fate);
    fate.crashAt = "journaled";
    await expect(dying.journal(await ca.stop(serial, 1))).rejects.toThrow(Crash);
    const next = await ca.start();
    expect(await next.status()).toMatchObject({ journalLag: 0 });
    await next.close();
  });
  it("a signer that another has replaced commits nothing, and knows that it must end", async () => {
    const old = await ca.start();
    const replacing = await ca.start();
    const serial = await ca.reserve();
    ca.fatal.length = 0;
    await expect(old.issue([serial])).rejects.toThrow("another process has written");
    expect(ca.fatal).toHaveLength(1);
    expect((await ca.row(serial)).state).toBe("reserved");
    await replacing.close();
  });
});

describe("leftovers", () => {
  let ca: TestCa;
  beforeAll(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
  });
  afterAll(() => ca.drop());

  it("revokes a certificate whose key was ours and never delivered, and leaves a delivered one", async () => {
    const signer = await ca.start();
    const lost = await ca.reserve({ key_origin: "server" });
    const delivered = await ca.reserve({ key_origin: "server", delivered_at: ca.clock() });
    await signer.issue([lost, delivered]);
    await signer.close();
    ca.offset += 11 * 60_000;
    await (await ca.start()).close();
    expect(await ca.row(lost)).toMatchObject({ state: "revoked", reason: 5 });
    expect(await ca.row(delivered)).toMatchObject({ state: "good" });
  });
  it("issues a reservation that nobody came for, if the requester has its key", async () => {
    const signer = await ca.start();
    const serial = await ca.reserve({ reserved_at: new Date(ca.clock().getTime() - 6000) });
    const mine = await ca.reserve({
      reserved_at: new Date(ca.clock().getTime() - 6000),
      key_origin: "server",
    });
    await expect.poll(async () => (await ca.row(serial)).state, { timeout: 5000 }).toBe("good");
    expect((await ca.row(mine)).state).toBe("reserved");
    await signer.close();
  });
  it("does not work with a clock that was set back", async () => {
    ca.offset -= 20 * 60_000;
    await expect(ca.open()).rejects.toMatchObject({ code: "clock-behind" });
    ca.offset += 20 * 60_000;
  });
});
