import { noSuchCertificate, tenantOfSerial } from "../ca/certificate-tenant.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import { NotFoundError } from "../registry/errors.ts";
import { canonicalId, type Principal, tenantOf } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";

/**
 * How far a mail has come, as far as anybody can know: that a server has taken it says nothing of whether somebody has read
 * it. `followed`: somebody has begun with its link or code.
 */
export const MAIL_STATES = [
  "waiting",
  "accepted",
  "returned",
  "followed",
  "not-sent",
  "given-up",
] as const;
export type MailState = (typeof MAIL_STATES)[number];

/** A mail as it is told of. */
export interface LedgerMail {
  readonly id: string;
  /** What kind of mail it is: `enrolment`, `expiry`, `proven`… */
  readonly kind: string;
  readonly recipient?: string;
  readonly state: MailState;
  /** The same for people. */
  readonly says: Readonly<Record<"ja" | "en", string>>;
  readonly plannedAt: Date;
  readonly acceptedAt?: Date;
  readonly returnedAt?: Date;
  /** Why it came back or was given up: the server's words. */
  readonly diagnostic?: string;
}

export interface LedgerMails {
  readonly items: readonly LedgerMail[];
}

/** The mails about an enrolment or a certificate, the newest first, a hundred at most. */
export interface MailLedger {
  /** Throws NotFoundError. */
  ofEnrolment(principal: Principal, id: string): Promise<LedgerMails>;
  /** Throws NotFoundError. */
  ofCertificate(principal: Principal, serial: Serial): Promise<LedgerMails>;
}

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly recipient: string | null;
  readonly state: "due" | "sent" | "failed" | "dropped" | "returned";
  readonly is_followed: boolean;
  readonly created_at: Date;
  readonly sent_at: Date | null;
  readonly returned_at: Date | null;
  readonly last_error: string | null;
}

const COLUMNS = `m.id, m.kind, m.recipient, m.state, m.created_at, m.sent_at, m.returned_at, m.last_error,
  exists (select from app.enrolment_link l where l.mail_id = m.id and l.began_at is not null) as is_followed`;

const OF_ENROLMENT = `select ${COLUMNS} from app.mail m
  where m.subject = $1 or m.id in (select l.mail_id from app.enrolment_link l where l.enrolment_id = $2)
  order by m.created_at desc, m.id limit 100`;

const OF_CERTIFICATE = `select ${COLUMNS} from app.mail m
  where m.id in (select o.id from app.mail o where o.subject = $1 union select t.mail_id from app.mail_item t where t.serial = $2)
  order by m.created_at desc, m.id limit 100`;

const STATE_OF = {
  due: "waiting",
  sent: "accepted",
  failed: "given-up",
  dropped: "not-sent",
  returned: "returned",
} as const satisfies Record<Row["state"], MailState>;

function mailOf(row: Row): LedgerMail {
  const { last_error: error, recipient, sent_at: acceptedAt, returned_at: returnedAt } = row;
  const state = row.is_followed ? "followed" : STATE_OF[row.state];
  const isOver = state === "returned" || state === "given-up";
  return {
    id: row.id,
    kind: row.kind,
    ...(recipient !== null && { recipient }),
    state,
    says: {
      ja: LIFECYCLE_MESSAGES.ja.mailStates[state],
      en: LIFECYCLE_MESSAGES.en.mailStates[state],
    },
    plannedAt: row.created_at,
    ...(acceptedAt !== null && { acceptedAt }),
    ...(returnedAt !== null && { returnedAt }),
    ...(isOver && error !== null && { diagnostic: error }),
  };
}

export function createMailLedger({ database }: { readonly database: Database }): MailLedger {
  return {
    async ofEnrolment(principal, id) {
      const reference = { kind: "enrolment", id } as const;
      const enrolmentId = canonicalId(reference);
      const corporationId = await tenantOf(database, principal, reference);
      return database.tenant(corporationId, async (sql) => {
        const [own] = await sql.query("select from app.enrolment where id = $1", [enrolmentId]);
        if (own === undefined) throw new NotFoundError("enrolment");
        const values = [`enrolment/${enrolmentId}`, enrolmentId];
        return { items: (await sql.query<Row>(OF_ENROLMENT, values)).map(mailOf) };
      });
    },
    async ofCertificate(principal, serial) {
      const corporationId = await tenantOfSerial(database, principal, serial);
      return database.tenant(corporationId, async (sql) => {
        const octets = serialBytes(serial);
        const [own] = await sql.query("select from app.binding where serial = $1", [octets]);
        if (own === undefined) throw noSuchCertificate();
        const values = [`certificate/${serial}`, octets];
        return { items: (await sql.query<Row>(OF_CERTIFICATE, values)).map(mailOf) };
      });
    },
  };
}
