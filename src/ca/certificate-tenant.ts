import { type Serial, serialBytes } from "../pki/serial.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Sql } from "../storage/sql.ts";

/** There is no certificate of the serial number in the address of the request. */
export function noSuchCertificate(): NotFoundError {
  return new NotFoundError("certificate", "serialNumber");
}

/**
 * The corporation that a certificate belongs to now: that of its open binding, else of its last one. Throws
 * NotFoundError when there is none, or when it is another than the principal's own.
 */
export async function tenantOfSerial(
  sql: Sql,
  principal: Pick<Principal, "corporationId">,
  serial: Serial,
): Promise<string> {
  const [row] = await sql.query<{ tenant: string | null }>(
    "select app.tenant_of_serial($1::bytea) as tenant",
    [serialBytes(serial)],
    "ca-tenant-of-serial",
  );
  const tenant = row?.tenant ?? undefined;
  const own = principal.corporationId;
  if (tenant === undefined || (own !== undefined && own !== tenant)) throw noSuchCertificate();
  return tenant;
}
