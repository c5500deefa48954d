import { join } from "node:path";

import { equal } from "../pki/bytes.ts";
import type { Database } from "../storage/database.ts";
import { readIfThere, replaceFile } from "../storage/durable-file.ts";
import type { IssuerRecord } from "./issuer.ts";

const OCTETS = ["serial", "certificate", "subject", "keyIdentifier"] as const;

const issuersFile = (folder: string): string => join(folder, "issuers.json");

/** Keeps the issuers for a start without the database. They are public. */
export async function writeIssuers(
  folder: string,
  issuers: readonly IssuerRecord[],
): Promise<void> {
  const shown = issuers.map((issuer) => ({
    id: issuer.id,
    kind: issuer.kind,
    state: issuer.state,
    vaUrl: issuer.vaUrl,
    ...Object.fromEntries(
      OCTETS.map((name) => [name, Buffer.from(issuer[name]).toString("base64")]),
    ),
  }));
  const text = `${JSON.stringify(shown, undefined, 2)}\n`;
  await replaceFile(issuersFile(folder), [Buffer.from(text)]);
}

/** What `writeIssuers` wrote; none where there is no file. */
export async function readIssuers(folder: string): Promise<IssuerRecord[]> {
  const text = await readIfThere(issuersFile(folder));
  if (text === undefined) return [];
  type Shown = Omit<IssuerRecord, (typeof OCTETS)[number]> &
    Record<(typeof OCTETS)[number], string>;
  return (JSON.parse(text.toString("utf8")) as Shown[]).map((shown) => ({
    id: shown.id,
    kind: shown.kind,
    state: shown.state,
    vaUrl: shown.vaUrl,
    serial: Buffer.from(shown.serial, "base64"),
    certificate: Buffer.from(shown.certificate, "base64"),
    subject: Buffer.from(shown.subject, "base64"),
    keyIdentifier: Buffer.from(shown.keyIdentifier, "base64"),
  }));
}

interface IssuerRow {
  readonly id: string;
  readonly kind: IssuerRecord["kind"];
  readonly state: IssuerRecord["state"];
  readonly serial: Buffer;
  readonly certificate: Buffer;
  readonly subject: Buffer;
  readonly key_identifier: Buffer;
  readonly va_url: string;
}

const ISSUERS = `select id, kind, state, serial, certificate, subject, key_identifier, va_url from ca.issuer order by kind desc, generation, id`;

/** The issuers that the database has, the root first. */
export async function queryIssuers(database: Pick<Database, "query">): Promise<IssuerRecord[]> {
  const rows = await database.query<IssuerRow>(ISSUERS);
  return rows.map(({ key_identifier, va_url, ...same }) => ({
    id: same.id,
    kind: same.kind,
    state: same.state,
    serial: same.serial,
    certificate: same.certificate,
    subject: same.subject,
    keyIdentifier: key_identifier,
    vaUrl: va_url,
  }));
}

/**
 * Whether the folder was used with another CA that had the same names: a database was made anew beside an old folder. Not
 * known while the database is away, and then what is kept is all there is.
 */
export async function isOfAnotherCa(
  database: Pick<Database, "query">,
  folder: string,
): Promise<boolean> {
  const kept = await readIssuers(folder);
  if (kept.length === 0) return false;
  const current = await queryIssuers(database).catch(() => []);
  return current.some(({ certificate, id }) =>
    kept.some((old) => old.id === id && !equal(old.certificate, certificate)),
  );
}
