import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { describeCa } from "../../../src/ca/description.ts";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import {
  type OrderOutcome,
  outcomeOf,
  placeOrder,
  type WantedOrder,
} from "../../../src/ca/issuer-orders.ts";
import { publishLists } from "../../../src/ca/list-publishing.ts";
import type { Signer } from "../../../src/ca/signer.ts";
import { Fate, system, TestCa } from "../../support/signer.ts";
import { eventually } from "../../support/service.ts";

const BOTH = ["alice", "bob"];
const G1 = "issuing-g1";
const G2 = "issuing-g2";
const DAY_MS = 86_400_000;

const refusalOf = (outcome: OrderOutcome): string => ("refused" in outcome ? outcome.refused : "");

describe("the generations of the issuing CA", () => {
  let ca: TestCa;
  let signer: Signer;

  beforeEach(async () => {
    ca = await TestCa.create();
    signer = await ca.start();
  });
  afterEach(async () => {
    await signer.close();
    await ca.drop();
  });

  /** What an operator orders, and what the signer makes of it. */
  async function order(wanted: WantedOrder): Promise<OrderOutcome> {
    const id = system.newId();
    await placeOrder(ca.database, { ...wanted, id, actor: "cli:test" }, ca.clock());
    signer.issuersChanged();
    const outcome = await eventually(
      () => outcomeOf(ca.database, id),
      (done) => done !== undefined,
    );
    return outcome ?? { refused: "nothing" };
  }

  const publish = (issuerId: string) =>
    publishLists(issuerId, {
      signer,
      database: ca.database,
      clock: ca.clock,
      verify: system.verify,
    });

  const states = async (): Promise<Record<string, string>> => {
    const rows = await ca.superuser.query<{ id: string; state: string }>(
      "select id, state from ca.issuer where kind = 'issuing'",
    );
    return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
  };

  async function faults(): Promise<readonly string[]> {
    const { faults: found } = await checkInvariants({
      database: ca.database,
      journalFolder: ca.journalFolder,
      now: new Date(ca.clock().getTime() + 120_000),
      digest: system.digest,
      scope: { verify: system.verify },
    });
    return found;
  }

  async function announce(): Promise<void> {
    expect(await order({ kind: "rotate" })).toEqual({ issuerId: G2 });
    await publish(G2);
  }

  async function handOver(): Promise<void> {
    await announce();
    const outcome = await order({ kind: "activate", issuerId: G2, by: BOTH });
    expect(outcome).toEqual({ issuerId: G2 });
  }

  it("R23 announces a second one with a name and a key of its own, which issues nothing", async () => {
    await announce();
    expect(await states()).toEqual({ [G1]: "active", [G2]: "announced" });
    const described = await describeCa({
      database: ca.database,
      keyStore: ca.keyStore,
      digest: system.digest,
    });
    const [root, first, second] = described.map(
      ({ certificate }) => new X509Certificate(certificate),
    );
    expect(second?.subject).toContain("CN=Suido Issuing CA G2");
    expect(second?.subject).not.toBe(first?.subject);
    const jwk = { format: "jwk" } as const;
    expect(second?.publicKey.export(jwk)).not.toEqual(first?.publicKey.export(jwk));
    expect(root !== undefined && second?.checkIssued(root)).toBe(true);
    expect(described[2]).toMatchObject({ hasKey: true, acknowledgements: [] });
    const serial = await ca.reserve({ issuer_id: G2 });
    await expect(signer.issue([serial])).rejects.toThrow(
      expect.objectContaining({ code: "issuing-stopped" }),
    );
    expect(await faults()).toEqual([]);
  });

  it("gives an announced one its OCSP delegate and its lists", async () => {
    await announce();
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ format: "der", type: "spki" });
    const delegate = new X509Certificate(await signer.delegate(G2, spki));
    expect(delegate.issuer).toContain("CN=Suido Issuing CA G2");
    expect(await ca.currentLists(G2)).toBe(17);
  });

  it("makes no third one while the second waits", async () => {
    await announce();
    expect(await order({ kind: "rotate" })).toEqual({ issuerId: G2 });
    expect(await states()).toEqual({ [G1]: "active", [G2]: "announced" });
  });

  it("activates nothing that nobody has acknowledged, unless two people override", async () => {
    await announce();
    const alone = await order({ kind: "activate", issuerId: G2, by: [] });
    expect(refusalOf(alone)).toContain("no relying party is registered");
    const twice = await order({ kind: "activate", issuerId: G2, by: ["alice", "Alice "] });
    expect(refusalOf(twice)).toContain("two different people");
    expect(await states()).toEqual({ [G1]: "active", [G2]: "announced" });
  });

  it("activates by itself when the last registered party has acknowledged it, and waits for none that is retired", async () => {
    for (const name of ["edge", "branch", "closed"])
      await ca.superuser.query(
        `insert into party.relying_party (id, name, product, uses, session_seconds, default_stage, created_at, updated_at, retired_at)
         values ($1, $2, 'musubi', '{file}', 0, 'enforce', now(), now(), case when $2 = 'closed' then now() end)`,
        [system.newId(), name],
      );
    const acknowledge = (name: string): Promise<object[]> =>
      ca.superuser.query(
        "insert into party.acknowledged_issuer (relying_party_id, issuer_id, at) select id, $2, now() from party.relying_party where name = $1",
        [name, G2],
      );
    await announce();
    await acknowledge("edge");
    const early = await order({ kind: "activate", issuerId: G2, by: [] });
    expect(refusalOf(early)).toBe(`branch still lacks ${G2}`);
    expect(await states()).toEqual({ [G1]: "active", [G2]: "announced" });
    await acknowledge("branch");
    signer.issuersChanged();
    await eventually(states, (now) => now[G2] === "active");
    expect(await states()).toEqual({ [G1]: "retiring", [G2]: "active" });
    expect(await faults()).toEqual([]);
  });

  it("activates nothing that has no list yet", async () => {
    await order({ kind: "rotate" });
    const outcome = await order({ kind: "activate", issuerId: G2, by: BOTH });
    expect(refusalOf(outcome)).toContain("has no list yet");
  });

  it("hands over in one commit: the new one issues, the old one finishes what it had promised", async () => {
    const promised = await ca.reserve();
    await announce();
    await order({ kind: "activate", issuerId: G2, by: BOTH });
    expect(await states()).toEqual({ [G1]: "retiring", [G2]: "active" });
    const fresh = await ca.reserve({ issuer_id: G2 });
    expect(await signer.issue([promised, fresh])).toMatchObject([
      { outcome: "good" },
      { outcome: "good" },
    ]);
    const issuers = [promised, fresh].map(async (serial) => {
      const { der } = await ca.row(serial);
      return /CN=Suido Issuing CA (G\d)/.exec(new X509Certificate(der).issuer)?.[1];
    });
    expect(await Promise.all(issuers)).toEqual(["G1", "G2"]);
    const audit = await ca.superuser.query<{ action: string; detail: object }>(
      "select action, detail from app.audit where subject like 'issuer/issuing-g%' and action like 'issuer.%' order by at, action",
    );
    expect(audit.map(({ action }) => action)).toEqual([
      "issuer.created",
      "issuer.announced",
      "issuer.activated",
      "issuer.retired",
    ]);
    expect(audit.at(-1)?.detail).toEqual({ by: BOTH });
    expect(await faults()).toEqual([]);
  });

  it("lets a retiring one sign nothing that was reserved later", async () => {
    await handOver();
    ca.offset += 6 * 60 * 1000;
    const late = await ca.reserve();
    await expect(signer.issue([late])).rejects.toThrow(
      expect.objectContaining({ code: "issuing-stopped" }),
    );
  });

  it("goes back to nothing: the database refuses every other way", async () => {
    await handOver();
    const ways: readonly (readonly [string, string])[] = [
      [G1, "active"],
      [G1, "announced"],
      [G2, "announced"],
      [G2, "ended"],
    ];
    for (const [id, state] of ways) {
      await expect(
        ca.superuser.query("update ca.issuer set state = $2 where id = $1", [id, state]),
      ).rejects.toThrow(expect.objectContaining({ code: "23514" }));
    }
  });

  it("stops issuing from a CA that is revoked, at once and for what it had promised", async () => {
    const promised = await ca.reserve();
    const outcome = await order({ kind: "revoke", issuerId: G1, reason: 1, by: BOTH });
    expect(outcome).toEqual({ issuerId: G1 });
    expect(await states()).toEqual({ [G1]: "retiring" });
    await expect(signer.issue([promised])).rejects.toThrow(
      expect.objectContaining({ code: "issuing-stopped" }),
    );
    const { entries } = await publish("root-g1");
    expect(entries).toBe(1);
    const again = await order({ kind: "revoke", issuerId: G1, reason: 4, by: BOTH });
    expect(refusalOf(again)).toContain("revoked already (keyCompromise)");
    await announce();
    expect(await order({ kind: "activate", issuerId: G2, by: BOTH })).toEqual({ issuerId: G2 });
    await signer.journal(await ca.lastChange());
    ca.offset += 11 * 60 * 1000;
    await signer.close();
    signer = await ca.start();
    expect(await faults()).toEqual([]);
  });

  it("R16 ends the old one when its last certificate has ended and a list was published since", async () => {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    await handOver();
    ca.offset += 398 * DAY_MS;
    await signer.close();
    signer = await ca.start();
    signer.issuersChanged();
    await publish("root-g1");
    await publish(G2);
    expect(await states()).toEqual({ [G1]: "retiring", [G2]: "active" });
    await publish(G1);
    // Looked at each hour.
    ca.offset += 61 * 60 * 1000;
    signer.issuersChanged();
    await eventually(states, (now) => now[G1] === "ended");
    await expect(publish(G1)).rejects.toThrow(expect.objectContaining({ code: "invalid-state" }));
    await publish(G2);
    expect(await faults()).toEqual([]);
    await signer.close();
    await ca.keyStore.remove(G1);
    signer = await ca.start();
    expect((await signer.status()).state).toBe("ready");
  });

  it.for(["journaled", "committed"])(
    "is finished by the next start when it dies at %s",
    async (step) => {
      await signer.close();
      const fate = new Fate();
      signer = await ca.start(fate);
      fate.crashAt = step;
      const id = system.newId();
      await placeOrder(ca.database, { kind: "rotate", id, actor: "cli:test" }, ca.clock());
      signer.issuersChanged();
      await eventually(
        () => ca.keyStore.has(G2),
        (has) => has,
      );
      await signer.close().catch(() => undefined);
      signer = await ca.start();
      signer.issuersChanged();
      await eventually(
        () => outcomeOf(ca.database, id),
        (done) => done !== undefined,
      );
      expect(await states()).toEqual({ [G1]: "active", [G2]: "announced" });
      await publish(G2);
      expect(await faults()).toEqual([]);
    },
  );

  it.for(["journaled", "committed"])(
    "hands over wholly or not at all when it dies at %s",
    async (step) => {
      await announce();
      await signer.close();
      const fate = new Fate();
      signer = await ca.start(fate);
      fate.crashAt = step;
      const id = system.newId();
      const wanted = { kind: "activate", issuerId: G2, by: BOTH } as const;
      await placeOrder(ca.database, { ...wanted, id, actor: "cli:test" }, ca.clock());
      signer.issuersChanged();
      await eventually(
        () =>
          signer.status().then(
            () => false,
            () => true,
          ),
        (isDead) => isDead,
      );
      await signer.close().catch(() => undefined);
      signer = await ca.start();
      expect(await states()).toEqual({ [G1]: "retiring", [G2]: "active" });
      signer.issuersChanged();
      const outcome = await eventually(
        () => outcomeOf(ca.database, id),
        (done) => done !== undefined,
      );
      expect(outcome).toEqual({ issuerId: G2 });
      expect(await faults()).toEqual([]);
    },
  );
});
