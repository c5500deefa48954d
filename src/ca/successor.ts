import type { Clock } from "../pki/clock.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import { daysLeft } from "../pki/validity.ts";
import type { Database } from "../storage/database.ts";
import { REVOKED_CAS, serialOf } from "./certificate-record.ts";

export interface SuccessorDeps {
  /** As suido_app. */
  readonly database: Pick<Database, "query">;
  readonly clock: Clock;
}

/** The certificate that a device has instead of an older one. */
export interface Successor {
  readonly serialNumber: Serial;
  /** As a browser's picker has it. */
  readonly commonName: string;
  readonly notAfter: Date;
  /** Whole days to go; 0 on the last one. */
  readonly daysLeft: number;
  /** The name of the older one. */
  readonly olderName: string;
}

/**
 * The newest certificate after this one that is good and proven: the device has it, and is to show it. Undefined where there
 * is none. One that nobody has proven may never have reached the device. It asks for no tenant: whoever asks may know of
 * the certificate itself.
 */
export type SuccessorOf = (serial: Serial) => Promise<Successor | undefined>;

interface Row {
  readonly serial: Uint8Array;
  readonly common_name: string;
  readonly not_after: Date;
  readonly older_name: string;
}

/** Of the same device: what was issued anew for another one has left this one with nothing. */
const PROVEN_SUCCESSOR = `with recursive later as (
    select s.serial, 1 as depth from ca.issued s where s.replaces = $1
    union
    select s.serial, later.depth + 1 from later join ca.issued s on s.replaces = later.serial
  )
  select i.serial, i.common_name, i.not_after, old.common_name as older_name from later join ca.issued i on i.serial = later.serial
  join ca.issued old on old.serial = $1 and old.device_uri = i.device_uri
  where i.state = 'good' and i.proven_at is not null and i.not_after >= $2 and i.issuer_id <> all(${REVOKED_CAS})
  order by i.issued_at desc, later.depth desc limit 1`;

export function createSuccessorOf({ database, clock }: SuccessorDeps): SuccessorOf {
  return async (serial) => {
    const now = clock();
    const values = [serialBytes(serial), now];
    const [row] = await database.query<Row>(PROVEN_SUCCESSOR, values, "ca-successor");
    if (row === undefined) return undefined;
    const { common_name: commonName, not_after: notAfter } = row;
    const left = daysLeft(notAfter, now);
    const { older_name: olderName } = row;
    return { serialNumber: serialOf(row.serial), commonName, notAfter, daysLeft: left, olderName };
  };
}
