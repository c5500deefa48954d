import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/storage/database.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { type IssuedState, columnsOf, insertIssued, insertIssuer } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
const app = openDatabase({ url: fresh.url, role: "suido_app", max: 2, applicationName: "test" });
const issuer = await insertIssuer(admin);

afterAll(async () => {
  await app.close();
  await admin.close();
  await fresh.drop();
});

const STATES: readonly IssuedState[] = [
  "reserved",
  "good",
  "hold",
  "revoked",
  "refused",
  "abandoned",
];

const LEGAL = new Set([
  "reserved → good",
  "reserved → refused",
  "reserved → abandoned",
  "good → hold",
  "hold → good",
  "good → revoked",
  "hold → revoked",
]);

const steps = STATES.flatMap((from) =>
  STATES.filter((to) => to !== from).map((to) => ({ from, to, name: `${from} → ${to}` })),
);

/** Moves a row, giving it everything else that the checks want of the new state, with the DER that it has. */
async function move(from: IssuedState, to: IssuedState): Promise<string | undefined> {
  const serial = await insertIssued(admin, issuer, from);
  const [row] = await admin.query<{ der: Buffer | null }>(
    "select der from ca.issued where serial = $1",
    [serial],
  );
  const {
    state,
    der,
    der_sha256: sha256,
    issued_at: issuedAt,
    reason,
    revoked_at: revokedAt,
  } = columnsOf(to);
  await admin.query(
    `update ca.issued set state = $2, der = $3, der_sha256 = $4, issued_at = $5, reason = $6, revoked_at = $7 where serial = $1`,
    [serial, state, der === null ? null : (row?.der ?? der), sha256, issuedAt, reason, revokedAt],
  );
  const [moved] = await admin.query<{ state: string }>(
    "select state from ca.issued where serial = $1",
    [serial],
  );
  return moved?.state;
}

describe("states of a certificate", () => {
  it.for(steps.filter(({ name }) => LEGAL.has(name)))("$name", async ({ from, to }) => {
    expect(await move(from, to)).toBe(to);
  });

  it.for(steps.filter(({ name }) => !LEGAL.has(name)))("never $name", async ({ from, to }) => {
    await expect(move(from, to)).rejects.toThrow(/no way from|does not change/);
  });
});

describe("what is written stays", () => {
  it.for(["der", "spki", "serial"])("the %s of an issued certificate", async (column) => {
    const serial = await insertIssued(admin, issuer, "good");
    await expect(
      admin.query(`update ca.issued set ${column} = $2 where serial = $1`, [
        serial,
        randomBytes(16),
      ]),
    ).rejects.toThrow("an issued serial does not change");
  });

  it("the date of a revocation", async () => {
    const serial = await insertIssued(admin, issuer, "revoked");
    await expect(
      admin.query("update ca.issued set revoked_at = now() where serial = $1", [serial]),
    ).rejects.toThrow("a revocation keeps its date");
  });

  it("the reason of a revocation", async () => {
    const serial = await insertIssued(admin, issuer, "revoked");
    await expect(
      admin.query("update ca.issued set reason = 5 where serial = $1", [serial]),
    ).rejects.toThrow("a revocation keeps its reason");
  });

  it("but it may become keyCompromise, and that is a change of its own", async () => {
    const serial = await insertIssued(admin, issuer, "revoked");
    await admin.query("update ca.issued set reason = 1 where serial = $1", [serial]);
    expect(
      await admin.query("select kind, reason from ca.change where serial = $1", [serial]),
    ).toEqual([{ kind: "revoke", reason: 1 }]);
  });
});

it("a proof keeps its time", async () => {
  const serial = await insertIssued(admin, issuer, "good");
  const prove = "update ca.issued set proven_at = $2 where serial = $1";
  await app.query(prove, [serial, new Date(Date.now() + 60_000)]);
  for (const other of [new Date(Date.now() + 120_000), null])
    await expect(app.query(prove, [serial, other])).rejects.toThrow("a proof keeps its time");
});

const columns = await admin.query<{ name: string }>(
  "select column_name as name from information_schema.columns where table_schema = 'ca' and table_name = 'issued' order by ordinal_position",
);

describe("what the app may write", () => {
  const changeable = new Set(["state", "reason", "revoked_at", "delivered_at", "proven_at"]);
  const signed = ["findings", "der", "der_sha256", "issued_at", "good_xid"];
  const fixed = columns.map(({ name }) => name).filter((name) => !changeable.has(name));

  it.for(fixed)("not %s of a row that exists", async (column) => {
    await expect(app.query(`update ca.issued set ${column} = null`)).rejects.toThrow(
      expect.objectContaining({ code: "42501" }),
    );
  });

  it.for([...signed, "reason", "revoked_at", "delivered_at", "proven_at"])(
    "not %s of a new row",
    async (column) => {
      await expect(
        app.query(`insert into ca.issued (serial, ${column}) values ('\\x01', null)`),
      ).rejects.toThrow(expect.objectContaining({ code: "42501" }));
    },
  );

  it("no state good without the signer", async () => {
    const serial = await insertIssued(admin, issuer, "reserved");
    await expect(
      app.query("update ca.issued set state = 'good' where serial = $1", [serial]),
    ).rejects.toThrow(expect.objectContaining({ code: "23514", constraint: "signed_has_der" }));
  });

  it("a revocation", async () => {
    const serial = await insertIssued(admin, issuer, "good");
    await app.query(
      "update ca.issued set state = 'revoked', reason = 4, revoked_at = now() where serial = $1",
      [serial],
    );
    expect(
      await app.query("select kind, reason from ca.change where serial = $1", [serial]),
    ).toEqual([{ kind: "revoke", reason: 4 }]);
  });

  it("a hold and its end, each one change", async () => {
    const serial = await insertIssued(admin, issuer, "good");
    await app.query(
      "update ca.issued set state = 'hold', reason = 6, revoked_at = now() where serial = $1",
      [serial],
    );
    await app.query(
      "update ca.issued set state = 'good', reason = null, revoked_at = null where serial = $1",
      [serial],
    );
    expect(
      await app.query("select kind from ca.change where serial = $1 order by seq", [serial]),
    ).toEqual([{ kind: "hold" }, { kind: "unhold" }]);
  });
});
