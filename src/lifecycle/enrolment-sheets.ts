import { recordAll } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError, InvalidValueError, NotFoundError } from "../registry/errors.ts";
import { canonicalId, type Principal, type Reference, tenantOf } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { drawLink, linkUrl, startUrl } from "./enrolment-links.ts";

/** What stands on the paper beside one machine. */
export interface SheetCard {
  readonly pharmacy: string;
  /** Absent while nobody has named it. */
  readonly device?: string;
  /** To be typed at the address. It opens nothing before the person is identified. */
  readonly code: string;
  /** Where the picture leads: to the enrolment itself, or to where the code is typed. */
  readonly link: string;
  readonly expiresAt: Date;
}

/** Cards to be printed, and the short address at which their codes are typed. */
export interface Sheet {
  readonly address: string;
  readonly cards: readonly SheetCard[];
}

/** Which cards, and whether their pictures lead to the enrolments themselves. */
export interface SheetWish {
  readonly withLinks: boolean;
  /** Only of this pharmacy. */
  readonly pharmacyId?: string;
}

export interface EnrolmentSheets {
  /**
   * Makes a new code for each open enrolment of a batch, in the order of the file. The codes of earlier sheets are void then.
   * Throws NotFoundError, ConflictError where none is open, InvalidValueError where there are too many for one sheet.
   */
  ofBatch(principal: Principal, id: string, wish: SheetWish): Promise<Sheet>;
  /** The same for one enrolment. */
  ofEnrolment(principal: Principal, id: string, wish: SheetWish): Promise<Sheet>;
}

export interface EnrolmentSheetsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
  /** Where links lead. */
  readonly appUrl: string;
}

/** As many cards are one sheet: 250 pages, and one statement. */
const MOST_CARDS = 1_000;

interface CardRow {
  readonly id: string;
  readonly pharmacy: string;
  readonly device: string | null;
  readonly expires_at: Date;
}

/** Open ones, for the share of the row that keeps them from ending before their codes are written. */
const OPEN = `select e.id, p.name as pharmacy, coalesce(d.name, e.device_name) as device, e.expires_at
  from app.enrolment e
  join app.pharmacy p on p.id = e.pharmacy_id
  left join app.device d on d.id = e.device_id
  where case when $1 = 'enrolment' then e.id = $2::uuid else e.batch_id = $2::uuid end
    and ($3::uuid is null or e.pharmacy_id = $3::uuid)
    and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $4
  order by e.batch_line, e.id limit $5 for share of e`;

const VOID = `delete from app.enrolment_link where on_sheet and enrolment_id = any ($1::uuid[])`;

const INSERT = `insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at, on_sheet)
  select wish.sha256, wish.kind, $1, wish.enrolment_id, $2, true
  from unnest($3::bytea[], $4::text[], $5::uuid[]) as wish (sha256, kind, enrolment_id)`;

/** What cards are asked for, and where it is. */
const TABLES = { enrolment: "app.enrolment", "enrolment-batch": "app.enrolment_batch" } as const;

interface Asked {
  readonly of: Reference & { readonly kind: keyof typeof TABLES };
  readonly principal: Principal;
  readonly wish: SheetWish;
}

function pharmacyOf({ pharmacyId }: SheetWish): string | null {
  return pharmacyId === undefined
    ? null
    : canonicalId({ kind: "pharmacy", id: pharmacyId, field: "pharmacyId" });
}

/** The open enrolments that cards are asked for. */
async function readOpen(sql: Sql, { of, wish }: Asked, now: Date): Promise<readonly CardRow[]> {
  const there = await sql.query(`select id from ${TABLES[of.kind]} where id = $1`, [
    canonicalId(of),
  ]);
  if (there.length === 0) throw new NotFoundError(of.kind);
  const values = [of.kind, canonicalId(of), pharmacyOf(wish), now, MOST_CARDS + 1];
  const rows = await sql.query<CardRow>(OPEN, values);
  if (rows.length === 0) throw new ConflictError("none of them is open", "id");
  if (rows.length > MOST_CARDS)
    throw new InvalidValueError(
      "pharmacyId",
      `is needed: more than ${MOST_CARDS} are open, and a sheet has no more cards`,
    );
  return rows;
}

/** Draws what is given out for each row, and writes its hashes in place of those of earlier sheets. */
async function draw(
  sql: Sql,
  { rows, kind, corporationId, now }: Drawing,
  deps: EnrolmentSheetsDeps,
): Promise<readonly string[]> {
  const drawn = rows.map(() => drawLink(kind, deps));
  await sql.query(INSERT, [
    corporationId,
    now,
    drawn.map(({ sha256 }) => Buffer.from(sha256)),
    drawn.map(() => kind),
    rows.map(({ id }) => id),
  ]);
  return drawn.map(({ given }) => given);
}

interface Drawing {
  readonly rows: readonly CardRow[];
  readonly kind: "link" | "code";
  readonly corporationId: string;
  readonly now: Date;
}

async function makeSheet(deps: EnrolmentSheetsDeps, asked: Asked): Promise<Sheet> {
  const { appUrl, clock, database, newId } = deps;
  const { of, principal, wish } = asked;
  const corporationId = await tenantOf(database, principal, of);
  const now = clock();
  const address = startUrl(appUrl);
  return database.tenant(corporationId, async (sql) => {
    const rows = await readOpen(sql, asked, now);
    await sql.query(VOID, [rows.map(({ id }) => id)]);
    const drawing = { rows, corporationId, now };
    const codes = await draw(sql, { ...drawing, kind: "code" }, deps);
    const tokens = wish.withLinks ? await draw(sql, { ...drawing, kind: "link" }, deps) : [];
    const facts = rows.map(({ id }) => ({
      at: now,
      actor: principal.actor,
      corporationId,
      action: "enrolment.handed-over",
      subject: `enrolment/${id}`,
      detail: { link: wish.withLinks, code: true, sheet: true },
    }));
    await recordAll(sql, facts, newId);
    const cards = rows.map(({ pharmacy, device, expires_at: expiresAt }, place): SheetCard => {
      const token = tokens[place];
      const link = token === undefined ? address : linkUrl(appUrl, token);
      const card = { pharmacy, code: codes[place] ?? "", link, expiresAt };
      return device === null ? card : Object.assign(card, { device });
    });
    return { address, cards };
  });
}

export function createEnrolmentSheets(deps: EnrolmentSheetsDeps): EnrolmentSheets {
  return {
    ofBatch: (principal, id, wish) =>
      makeSheet(deps, { of: { kind: "enrolment-batch", id }, principal, wish }),
    ofEnrolment: (principal, id, wish) =>
      makeSheet(deps, { of: { kind: "enrolment", id }, principal, wish }),
  };
}
