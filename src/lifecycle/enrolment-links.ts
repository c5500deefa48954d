import { toHex, utf8Bytes } from "../pki/bytes.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";

/** 128 bits. Hexadecimal, because mail programs end a link before a hyphen or an underscore that is its last character. */
const TOKEN_OCTETS = 16;
const TOKEN = /^[0-9a-f]{32}$/;

/** 32 characters that nobody mistakes for one another: no 0, O, 1 or I. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** 40 bits: enough where guesses are counted, and where the code alone opens nothing. */
const CODE_CHARACTERS = 8;
const CODE = /^[A-HJ-NP-Z2-9]{8}$/;

/**
 * What opens an enrolment: `link` in a mail or an answer, `code` typed on the device, `renewal` where a device has shown its
 * certificate, `script` in a file that makes the key on the machine.
 */
export type LinkKind = "link" | "code" | "renewal" | "script";

function newCode(random: Random): string {
  const characters = Array.from(random(CODE_CHARACTERS), (octet) => ALPHABET.charAt(octet & 31));
  return `${characters.slice(0, 4).join("")}-${characters.slice(4).join("")}`;
}

/** What somebody typed or followed, in the one spelling that is hashed; undefined for what is none of ours. */
export function spellingOf(kind: LinkKind, text: string): string | undefined {
  // Japanese keyboards write full-width letters unless told otherwise; NFKC makes them the usual ones.
  const plain =
    kind !== "code"
      ? text.toLowerCase()
      : text
          .normalize("NFKC")
          .toUpperCase()
          .replaceAll(/[\s\p{Pd}ー]/gu, "");
  return (kind === "code" ? CODE : TOKEN).test(plain) ? plain : undefined;
}

/** By what a link or a code in its one spelling is kept and found: one kind never passes for the other. */
export function linkHash(
  kind: LinkKind,
  { spelling, digest }: { readonly spelling: string; readonly digest: Digest },
): Uint8Array {
  return digest("sha256", utf8Bytes(`${kind}:${spelling}`));
}

/** By what a link or a code that somebody has is found, and whose corporation's it is. */
export interface FoundLink {
  readonly sha256: Uint8Array;
  readonly corporationId: string;
}

/** Finds the tenant of what somebody typed or followed; undefined for what is none of ours, or no more. */
export async function findLink(
  { database, digest }: { readonly database: Pick<Database, "query">; readonly digest: Digest },
  kind: LinkKind,
  text: string,
): Promise<FoundLink | undefined> {
  const spelling = spellingOf(kind, text);
  if (spelling === undefined) return undefined;
  const sha256 = linkHash(kind, { spelling, digest });
  const [tenant] = await database.query<{ id: string | null }>(
    "select app.tenant_of_enrolment_link($1) as id",
    [sha256],
    "enrolment-tenant",
  );
  const corporationId = tenant?.id ?? undefined;
  return corporationId === undefined ? undefined : { sha256, corporationId };
}

/** A link token or a code that is to be given out, and by what it is kept. */
export interface DrawnLink {
  readonly given: string;
  readonly sha256: Uint8Array;
}

/** Draws one that nobody has yet. */
export function drawLink(
  kind: "link" | "code",
  { random, digest }: { readonly random: Random; readonly digest: Digest },
): DrawnLink {
  const given = kind === "link" ? toHex(random(TOKEN_OCTETS)) : newCode(random);
  const spelling = kind === "link" ? given : given.replace("-", "");
  return { given, sha256: linkHash(kind, { spelling, digest }) };
}

interface Giving {
  readonly enrolmentId: string;
  readonly kind: "link" | "code";
  readonly at: Date;
  /** The mail in which it stands. */
  readonly mailId?: string;
  /** The reminder in which it stands: days before the certificate's end. */
  readonly stage?: number;
}

/**
 * Gives out a new link token or code of an open enrolment: nobody has kept those from before, and they stay good beside
 * it. Undefined where the enrolment is over. Only its hash is written.
 */
export async function giveLink(
  sql: Sql,
  { enrolmentId, kind, at, mailId, stage }: Giving,
  deps: { readonly random: Random; readonly digest: Digest },
): Promise<string | undefined> {
  const { given, sha256 } = drawLink(kind, deps);
  const made = await sql.query(
    `insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at, mail_id, stage)
     select $2::bytea, $3::text, e.corporation_id, e.id, $4::timestamptz, $5::uuid, $6::smallint from app.enrolment e
     where e.id = $1::uuid and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $4::timestamptz
     returning kind`,
    [enrolmentId, Buffer.from(sha256), kind, at.toISOString(), mailId ?? null, stage ?? null],
  );
  return made.length === 0 ? undefined : given;
}

/** Where a link leads. */
export function linkUrl(appUrl: string, token: string): string {
  return `${startUrl(appUrl)}/${token}`;
}

/** The short address at which a code is typed. */
export function startUrl(appUrl: string): string {
  return `${appUrl}/start`;
}
